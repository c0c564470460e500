package exports

import (
	"errors"

	"gonum.org/v1/gonum/stat"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// CandidateList is stage C's result: the candidates that were trained on every fold, best
// first, then the others.
type CandidateList struct {
	Head
	Candidates []Candidate `json:"candidates"`
}

// Candidate is a configuration under cross-validation. CrossValidation and Baselines are
// nil unless every fold has a value.
type Candidate struct {
	Trial           int                `json:"trial"` // of stage B
	CrossValidation *CrossValidation   `json:"cross_validation"`
	Baselines       *protocol.Baseline `json:"baselines"` // means over the folds
	Params          space.Assignment   `json:"params"`
	Folds           []Fold             `json:"folds"`
}

// CrossValidation sums the folds up.
type CrossValidation struct {
	F1Macro Spread `json:"f1_macro"`
	ECE     Spread `json:"ece"`
}

// Spread is the mean over the folds and the sample standard deviation (n − 1) between
// them.
type Spread struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

// Fold is a candidate's training on all folds but one, measured on that one. Its values
// are the mean over the seeds, each at its best epoch; they are nil without a result.
type Fold struct {
	Fold      int                `json:"fold"`
	Trial     int                `json:"trial"` // of stage C
	F1Macro   *float64           `json:"f1_macro"`
	ECE       *float64           `json:"ece"`
	Baselines *protocol.Baseline `json:"baselines"`
	Seeds     []Seed             `json:"seeds"`
	Failure   *protocol.Failure  `json:"failure,omitempty"`
}

// Best is the chosen configuration.
type Best struct {
	Head
	Candidate
	Models []Model `json:"models"`
}

// Model is a file with one seed's weights at its best epoch on one fold.
type Model struct {
	Fold  int    `json:"fold"`
	Seed  int64  `json:"seed"`
	Epoch int    `json:"epoch"`
	File  string `json:"file"` // an object key
}

// Candidates returns stage C's candidates.
func Candidates(s *study.State) CandidateList {
	list := CandidateList{Head: head(s, protocol.StageC), Candidates: []Candidate{}}
	for _, c := range s.Candidates() {
		list.Candidates = append(list.Candidates, candidate(c))
	}
	return list
}

// Chosen returns the configuration that finish chose; before that it is an error.
func Chosen(s *study.State) (Best, error) {
	c, ok := s.Chosen()
	if !ok {
		return Best{}, errors.New("no configuration was chosen yet")
	}
	b := Best{Head: head(s, protocol.StageC), Candidate: candidate(c), Models: []Model{}}
	for _, f := range b.Folds {
		for _, seed := range f.Seeds {
			b.Models = append(b.Models, Model{Fold: f.Fold, Seed: seed.Seed, Epoch: seed.Epoch,
				File: ModelFile(b.Study, f.Trial, seed.Seed, seed.Epoch)})
		}
	}
	return b, nil
}

// ModelFile is the object under which a trial of stage C keeps a seed's weights at its best
// epoch.
func ModelFile(name string, trial int, seed int64, epoch int) string {
	return study.BestWeights(study.CheckpointPrefix(name, protocol.StageC, trial), seed, epoch)
}

func candidate(c study.Candidate) Candidate {
	out := Candidate{Trial: c.Trial, Baselines: c.Baseline, Params: c.Params}
	var f1, ece []float64
	for _, f := range c.Folds {
		fold := Fold{Fold: f.Fold, Trial: f.Trial, Baselines: f.Baseline, Seeds: seeds(f.Seeds), Failure: f.Failure}
		if f.Value != nil {
			fold.F1Macro, fold.ECE = &f.Value.F1Macro, &f.Value.ECE
			f1, ece = append(f1, f.Value.F1Macro), append(ece, f.Value.ECE)
		}
		out.Folds = append(out.Folds, fold)
	}
	if c.Value != nil {
		out.CrossValidation = &CrossValidation{F1Macro: spread(f1), ECE: spread(ece)}
	}
	return out
}

func spread(values []float64) Spread {
	mean, sd := stat.MeanStdDev(values, nil)
	return Spread{Mean: mean, SD: sd}
}
