package train

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/sched"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/metrics"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// model is the network with its optimizer; [*classifier.Classifier] implements it.
type model interface {
	Train(classifier.Step) (classifier.StepResult, error)
	Predict(classifier.Batch) (classifier.Prediction, error)
	Parameters() ([]tensor.Array, error)
	SetParameters([]tensor.Array) error
	OptimizerState() ([]optim.ParamState, error)
	SetOptimizerState([]optim.ParamState) error
	Close()
}

// run is one seed of a trial.
type run struct {
	*session
	seed  int64
	state state
	saved []string      // keys of its checkpoints, the newest last
	bests []string      // keys of its best weights (stage C)
	model model         // nil while it is not needed
	from  *modelWeights // what a model that is opened starts from; nil: the backbone
}

// to trains up to an epoch or until the seed stops early, and saves after each epoch.
func (r *run) to(ctx context.Context, epoch int) error {
	for r.state.Epoch < epoch && !r.state.Finished {
		if err := r.openModel(ctx); err != nil {
			return err
		}
		if r.plan.untrained && len(r.state.Epochs) == 0 {
			if err := r.beforeTraining(ctx); err != nil {
				return err
			}
		}
		if err := r.epoch(ctx); err != nil {
			return err
		}
		// What is trained is kept, also when the slot is being stopped.
		if err := r.save(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	if r.state.Finished {
		r.close()
	}
	return nil
}

// openModel builds the network, from the last checkpoint when there is one.
func (r *run) openModel(ctx context.Context) error {
	if r.model != nil {
		return nil
	}
	if r.state.Epoch > 0 && r.from == nil {
		if err := r.reload(ctx); err != nil {
			return err
		}
	}
	m, err := r.open(classifier.Options{
		Network: r.tasks.network, Weights: r.weights, Head: r.set.head, Seed: uint64(r.seed),
		ClassWeights: r.classWeights, LabelSmoothing: r.set.smoothing, MaxGradNorm: r.set.clip,
		GradientCheckpointing: r.set.recompute,
		AdamW:                 optim.AdamWConfig{WeightDecay: r.set.weightDecay, Decay: optim.DecayWeights},
	})
	var op *tensor.OpError
	if err != nil && !errors.As(err, &op) {
		return dataError(err) // a head or an option that cannot be
	}
	if err != nil {
		return err
	}
	if r.from != nil {
		err = m.SetParameters(r.from.params)
		if err == nil {
			err = m.SetOptimizerState(r.from.moments)
		}
		if err != nil {
			m.Close()
			return err
		}
		r.from = nil
	}
	r.model = m
	return nil
}

// epoch trains on every row once and measures.
func (r *run) epoch(ctx context.Context) error {
	start := time.Now()
	epoch := r.state.Epoch + 1
	rows := r.order(epoch)
	perEpoch := stepsPerEpoch(len(rows), r.set.batchSize, r.set.accum)
	total := perEpoch * r.plan.epochs
	warmup := sched.WarmupSteps(r.set.warmup, total)
	seconds := results.Seconds{Data: time.Since(start).Seconds()}
	step, loss := r.state.Step, 0.0
	for _, share := range chunks(rows, r.set.batchSize*r.set.accum) {
		if err := ctx.Err(); err != nil {
			return err
		}
		packing := time.Now()
		micro, shares := r.step(share, r.set.batchSize)
		seconds.Data += time.Since(packing).Seconds()
		r.computes()
		did, err := r.model.Train(classifier.Step{
			Number: step, LR: r.set.lr * sched.Linear(int(step), warmup, total), Micro: micro, Shares: shares,
		})
		if err != nil {
			return err
		}
		seconds.Forward += did.Forward.Seconds()
		seconds.Backward += did.Backward.Seconds()
		seconds.Optimizer += did.Optimizer.Seconds()
		loss += did.Loss * float64(len(share)) / float64(len(rows))
		step++
	}
	report, err := r.evaluate(ctx, step, &seconds)
	if err != nil {
		return err
	}
	seconds.Total = time.Since(start).Seconds()
	r.state.Step, r.state.Epoch = step, epoch
	trained := seconds.Data + seconds.Forward + seconds.Backward + seconds.Optimizer
	rec, err := r.record(epoch, loss, report, seconds, float64(len(rows))/trained)
	if err != nil {
		return err
	}
	r.state.Epochs = append(r.state.Epochs, rec)
	best := r.best()
	r.state.Finished = epoch >= r.plan.epochs || best.Stopped(r.plan.patience)
	r.Log.Info("epoch", append([]any{"trial", r.work.Trial, "seed", r.seed, "epoch", epoch, "loss", loss, "f1_macro", rec.F1Macro, "ece", rec.ECE,
		"samples_per_second", math.Round(rec.SamplesPerSecond), "seconds", seconds.Total}, r.tasks.logged(rec.Tasks)...)...)
	if r.plan.keepBest && best.Epoch == epoch {
		return r.saveBest(context.WithoutCancel(ctx))
	}
	return nil
}

// beforeTraining measures the untrained model as epoch 0. Its loss is the mean negative
// log-likelihood of the held-out rows, as nothing was trained.
func (r *run) beforeTraining(ctx context.Context) error {
	start := time.Now()
	var seconds results.Seconds
	report, err := r.evaluate(ctx, 0, &seconds)
	if err != nil {
		return err
	}
	seconds.Total = time.Since(start).Seconds()
	rec, err := r.record(0, report.NLL, report, seconds, 0)
	if err != nil {
		return err
	}
	r.state.Epochs = append(r.state.Epochs, rec)
	return nil
}

// order returns the rows of an epoch in the order in which they are trained.
func (r *run) order(epoch int) []int {
	if r.even {
		return bucketed(r.seed, epoch, r.trained, func(row int) int { return len(r.rows[row].ids) }, r.set.batchSize)
	}
	return mix(r.seed, epoch, r.trained)
}

// evaluate measures the model on the held-out rows of every task, by the trial's null
// policy.
func (r *run) evaluate(ctx context.Context, step int64, seconds *results.Seconds) (measured, error) {
	start := time.Now()
	var all measured
	var reports []metrics.Report
	for task, rows := range r.tasks.divide(r.part.Valid) {
		logits, err := r.predict(ctx, task, rows, step)
		if err != nil {
			return measured{}, err
		}
		groups := make([]int, len(rows))
		for i, row := range rows {
			groups[i] = r.tasks.groups[row]
		}
		report, fitted, err := r.set.null.Evaluate(logits, dataset.Labels(r.examples, rows), groups)
		if err != nil {
			return measured{}, err
		}
		reports, all.tasks = append(reports, report), append(all.tasks, newTaskRecord(report, fitted))
	}
	all.Report = meanReport(reports)
	seconds.Evaluation += time.Since(start).Seconds()
	return all, nil
}

// predict returns the logits of a task's rows, row-major.
func (r *run) predict(ctx context.Context, task int, rows []int, step int64) ([]float64, error) {
	logits, at := make([]float64, classes*len(rows)), map[int]int{}
	for i, row := range rows {
		at[row] = i
	}
	for _, which := range predictChunks(r.rows, rows, r.even) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.computes()
		b := pack(r.rows, r.labels, which)
		b.Task = task
		p, err := r.model.Predict(b)
		if err != nil {
			return nil, err
		}
		for i, z := range p.Logits {
			v := float64(z)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &classifier.NotFiniteError{What: "logits", Step: step}
			}
			logits[classes*at[which[i/classes]]+i%classes] = v
		}
	}
	return logits, nil
}

// computes notes the work's first step, be it of training or of measuring.
func (r *run) computes() {
	if r.began.IsZero() {
		r.began = time.Now()
	}
}

func (r *run) record(epoch int, loss float64, m measured, seconds results.Seconds, rate float64) (record, error) {
	peak, err := tensor.PeakMemory()
	if err != nil {
		return record{}, err
	}
	return record{
		EpochMetrics: protocol.EpochMetrics{
			Seed: r.seed, Epoch: epoch, Loss: loss, F1Macro: m.F1Macro, ECE: m.ECE,
			Accuracy: m.Accuracy, AUROC: m.AUROC, NLL: m.NLL, Brier: m.Brier,
		},
		Tasks: m.tasks, Seconds: seconds, SamplesPerSecond: rate, PeakMemoryBytes: peak, Device: r.Device,
	}, nil
}

// best folds the epochs so far by the study's own rule.
func (r *run) best() study.SeedBest {
	b := study.SeedBest{Seed: r.seed}
	for _, e := range r.state.Epochs {
		if e.Epoch > 0 {
			b = b.Seen(e.Epoch, e.F1Macro, e.ECE)
		}
	}
	return b
}

// close frees the model; the next epoch opens it again from the last checkpoint.
func (r *run) close() {
	if r.model == nil {
		return
	}
	r.model.Close()
	r.model = nil
}
