package train

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// plan is what a stage asks of every trial.
type plan struct {
	epochs    int // of the whole stage: the learning rate's schedule spans them
	patience  int
	untrained bool           // measure the model before its first step (stage C)
	keepBest  bool           // keep the best epoch's weights (stage C)
	parts     []dataset.Part // one; in stage C one a fold
}

func newPlan(study *config.Study, stage protocol.Stage, examples []dataset.Example) (plan, error) {
	switch stage {
	case protocol.StageA, protocol.StageB:
		search := study.Stages.A
		if stage == protocol.StageB {
			search = study.Stages.B
		}
		part, err := dataset.Split(examples, study.Training.ValidFraction, study.Training.SplitSeed)
		if err != nil {
			return plan{}, err
		}
		return plan{epochs: search.Epochs, patience: search.Patience, parts: []dataset.Part{part}}, nil
	case protocol.StageC:
		c := study.Stages.C
		parts, err := dataset.Folds(examples, c.Folds, c.FoldSeed)
		if err != nil {
			return plan{}, err
		}
		return plan{epochs: c.Epochs, patience: c.Patience, untrained: true, keepBest: true, parts: parts}, nil
	}
	return plan{}, fmt.Errorf("stage %q is not known; allowed: A, B, C", stage)
}

// part returns the rows of a work: the study's one split, or the fold that it holds out.
func (p plan) part(fold *int) (dataset.Part, error) {
	switch {
	case fold == nil && len(p.parts) == 1:
		return p.parts[0], nil
	case fold == nil:
		return dataset.Part{}, fmt.Errorf("the work names no fold of %d", len(p.parts))
	case *fold < 0 || *fold >= len(p.parts):
		return dataset.Part{}, fmt.Errorf("fold %d is not one of 0 to %d", *fold, len(p.parts)-1)
	}
	return p.parts[*fold], nil
}
