// Package results keeps what trials measured: Parquet files with one row an epoch and
// seed, one file an attempt's rung, partitioned as metrics/study=…/stage=…/. A second
// table, trials/study=…/stage=…/, says with one row a trial how far each one came. DuckDB,
// pandas and Athena read each folder as one table.
//
// Study and stage are columns of these tables but stand in the path alone: Athena allows no
// partition key that is also a column, and pandas refuses a folder where a column and a
// partition of one name differ in type. [Read] fills them from the key.
package results

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// SchemaVersion is written into each file. Columns may be added under the same version;
// one that changes its meaning needs a new one.
const SchemaVersion = 1

// A Row is what one seed measured after one epoch.
type Row struct {
	Study   string
	Stage   protocol.Stage
	Agent   string
	Trial   int
	Attempt int
	Rung    int
	Seed    int64
	Fold    *int // stage C: the fold held out
	Epoch   int  // from 1; stage C: also 0, before training

	// Params is complete: it names every parameter of the space, those that are switched
	// off included.
	Params space.Assignment

	Loss float64 // training loss, mean over the epoch's samples; at epoch 0 the NLL

	// Measured on the held-out rows, as package metrics defines them.
	F1Macro  float64
	ECE      float64
	Accuracy float64
	AUROC    *float64 // nil where it is undefined (one class only)
	NLL      float64
	Brier    float64

	// What the figures above are made of: each is of the agent's task, or the mean of the two
	// tasks that the agents share and joint learn.
	Criteria, Evidence Task

	Seconds          Seconds
	SamplesPerSecond float64 // trained, by the time of the training phases
	PeakMemoryBytes  int64
	Device           string
	Cost             float64 // Seconds.Total at the study's price an hour
}

// Seconds says where an epoch's time went, in wall seconds.
type Seconds struct {
	Total      float64
	Data       float64
	Forward    float64
	Backward   float64
	Optimizer  float64
	Evaluation float64
}

// A Task is what was measured of one task; all nil: the agent does not learn it.
type Task struct {
	F1Macro *float64
	ECE     *float64

	// Of the null policy calibrated, nil with any other.
	NullThreshold   *float64 // the fitted threshold, that of the highest F1-macro
	BestTemperature *float64 // the temperature of the smallest NLL
}
