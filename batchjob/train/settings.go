package train

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/shared/metrics"
	"github.com/supermax-hpo/supermax/shared/space"
)

// classes is the number of classes of every agent that is implemented: no and yes.
const classes = 2

// settings are a trial's parameters, typed.
type settings struct {
	backbone    string
	maxLength   int
	recompute   bool // gradient checkpointing
	head        head.Config
	lr          float64
	weightDecay float64
	warmup      float64 // of all steps
	batchSize   int
	accum       int
	smoothing   float64
	clip        float64 // 0: off
	null        metrics.NullPolicy
}

// readSettings takes a trial's parameters apart. Its error names what is missing, of the
// wrong kind or not implemented.
func readSettings(a space.Assignment) (settings, error) {
	if err := support.CheckParams(a); err != nil {
		return settings{}, err
	}
	var errs []error
	str := func(name string) string { return collect(&errs, name, a.Str) }
	integer := func(name string) int { return collect(&errs, name, a.Int) }
	float := func(name string) float64 { return collect(&errs, name, a.Float) }
	s := settings{
		backbone: str("model.name"), maxLength: integer("tok.max_length"),
		recompute: collect(&errs, "model.gradient_checkpointing", a.Bool),
		head: head.Config{
			Pooling: str("head.pooling"), HiddenDim: integer("head.hidden_dim"), Layers: integer("head.n_layers"),
			Activation: str("head.activation"), Dropout: float("head.dropout"), Classes: classes,
		},
		lr: float("optim.lr"), weightDecay: float("optim.weight_decay"), warmup: float("sched.warmup_ratio"),
		batchSize: integer("train.batch_size"), accum: integer("train.grad_accum"),
		smoothing: float("reg.label_smoothing"), clip: float("reg.max_grad_norm"),
	}
	s.null.Strategy = str("null.strategy")
	switch s.null.Strategy { // the parameters of the others are off
	case metrics.NullThreshold:
		s.null.Threshold = float("null.threshold")
	case metrics.NullRatio:
		s.null.Ratio = float("null.ratio")
	case metrics.NullCalibrated:
		s.null.Temperature = float("null.temperature")
	}
	if len(errs) > 0 {
		return settings{}, errs[0]
	}
	if err := s.null.Validate(); err != nil {
		return settings{}, err
	}
	if s.batchSize < 1 || s.accum < 1 {
		return settings{}, fmt.Errorf("train.batch_size %d and train.grad_accum %d must be at least 1", s.batchSize, s.accum)
	}
	return s, nil
}

// collect reads one parameter and keeps its error for the end.
func collect[T any](errs *[]error, name string, get func(string) (T, error)) T {
	v, err := get(name)
	if err != nil {
		*errs = append(*errs, err)
	}
	return v
}

// balancedWeights gives each class n/(C·n_c), as scikit-learn's class_weight="balanced",
// or nil for the setting "none". Every class is present: the split saw to it.
func balancedWeights(setting string, labels []int) []float32 {
	if setting != "balanced" {
		return nil
	}
	var counts [classes]int
	for _, y := range labels {
		counts[y]++
	}
	weights := make([]float32, classes)
	for c := range weights {
		weights[c] = float32(float64(len(labels)) / float64(classes*counts[c]))
	}
	return weights
}
