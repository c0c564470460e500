package train

import (
	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/metrics"
	"github.com/supermax-hpo/supermax/shared/results"
)

// tasks are what the study's agent learns, in the order of the network's.
type tasks struct {
	names   []string // dataset.Criteria, dataset.Evidence
	network classifier.Network
	of      []int // by example: its task
	groups  []int // by example: see [dataset.Groups]
}

func newTasks(agent string, examples []dataset.Example) (tasks, error) {
	names, err := dataset.Tasks(agent)
	if err != nil {
		return tasks{}, err
	}
	t := tasks{names: names, of: make([]int, len(examples)), groups: dataset.Groups(examples)}
	switch agent {
	case dataset.Share:
		t.network = classifier.Shared
	case dataset.Joint:
		t.network = classifier.Joint
	}
	for i, e := range examples {
		for task, name := range names {
			if e.Task == name {
				t.of[i] = task
			}
		}
	}
	return t, nil
}

// divide returns the rows of each task, in their order.
func (t tasks) divide(rows []int) [][]int {
	by := make([][]int, len(t.names))
	for _, row := range rows {
		by[t.of[row]] = append(by[t.of[row]], row)
	}
	return by
}

// measured is what a model is worth on the held-out rows. Report is the mean over the tasks.
type measured struct {
	metrics.Report
	tasks []taskRecord
}

// taskRecord is one task's part of an epoch's measurement.
type taskRecord struct {
	F1Macro         float64  `json:"f1_macro"`
	ECE             float64  `json:"ece"`
	NullThreshold   *float64 `json:"null_threshold,omitempty"`
	BestTemperature *float64 `json:"best_temperature,omitempty"`
}

func newTaskRecord(r metrics.Report, fitted *metrics.Fitted) taskRecord {
	rec := taskRecord{F1Macro: r.F1Macro, ECE: r.ECE}
	if fitted != nil {
		rec.NullThreshold, rec.BestTemperature = &fitted.Threshold, &fitted.BestTemperature
	}
	return rec
}

// row is the record in the form that is kept for queries.
func (r taskRecord) row() results.Task {
	return results.Task{F1Macro: &r.F1Macro, ECE: &r.ECE, NullThreshold: r.NullThreshold, BestTemperature: r.BestTemperature}
}

// meanReport is the value of a model of several tasks: the mean of each measure, that of
// AUROC where every task has one.
func meanReport(reports []metrics.Report) metrics.Report {
	if len(reports) == 1 {
		return reports[0]
	}
	var mean metrics.Report
	auroc, defined, n := 0.0, true, float64(len(reports))
	for _, r := range reports {
		mean.F1Macro += r.F1Macro / n
		mean.ECE += r.ECE / n
		mean.Accuracy += r.Accuracy / n
		mean.NLL += r.NLL / n
		mean.Brier += r.Brier / n
		if r.AUROC == nil {
			defined = false
			continue
		}
		auroc += *r.AUROC / n
	}
	if defined {
		mean.AUROC = &auroc
	}
	return mean
}

// logged are an epoch's figures by task, as far as the epoch's own do not say them.
func (t tasks) logged(records []taskRecord) []any {
	var pairs []any
	for i, r := range records {
		name := t.names[i]
		if len(records) > 1 {
			pairs = append(pairs, name+"_f1_macro", r.F1Macro, name+"_ece", r.ECE)
		}
		if r.NullThreshold != nil {
			pairs = append(pairs, name+"_null_threshold", *r.NullThreshold, name+"_best_temperature", *r.BestTemperature)
		}
	}
	return pairs
}

// majority is the mean over the tasks of the F1-macro of always answering the training
// rows' most frequent class.
func (t tasks) majority(examples []dataset.Example, part dataset.Part) float64 {
	train, valid, sum := t.divide(part.Train), t.divide(part.Valid), 0.0
	for task := range t.names {
		sum += metrics.MajorityF1Macro(dataset.Labels(examples, train[task]), dataset.Labels(examples, valid[task]), classes)
	}
	return sum / float64(len(t.names))
}

// classWeights are the weights of each task's classes among its training rows.
func (t tasks) classWeights(setting string, examples []dataset.Example, train []int) [][]float32 {
	weights := make([][]float32, len(t.names))
	for task, rows := range t.divide(train) {
		weights[task] = balancedWeights(setting, dataset.Labels(examples, rows))
	}
	return weights
}
