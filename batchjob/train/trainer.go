// Package train trains one trial after another for a slot: every seed in turn, epoch by
// epoch, measured on held-out posts and saved after each epoch so that any slot goes on
// exactly where another stopped.
//
// What a seed computes depends on its trial, its seed and the epoch alone. The order of
// the rows comes from (seed, epoch), dropout from (seed, step), and the learning rate from
// the step among all steps of the stage, so that a run that was stopped and resumed equals
// one that was not.
package train

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Options of a [Trainer]; all but Folder are needed.
type Options struct {
	Study   *config.Study
	Stage   protocol.Stage
	Objects *objects.Bucket // checkpoints
	Worker  *tensor.Worker
	Device  string       // its name in the results
	Log     *slog.Logger // never gets a post's text
	// Folder returns the folder of what lies at a place that the study names: its corpus,
	// and each backbone when a trial first needs it. An error that is a
	// [dataref.ErrUnusable] is the place's fault, any other this machine's. nil: places
	// are folders.
	Folder func(ctx context.Context, place string) (string, error)
}

// A Trainer implements [slot.Runner]. It reads the corpus once and keeps tokenised rows
// and the last backbone in memory. It is for one goroutine.
type Trainer struct {
	Options
	examples    []dataset.Example
	tasks       tasks
	fingerprint string // of the corpus
	plan        plan
	library     *library
	open        func(classifier.Options) (model, error)
	holdLimit   int      // bytes; see [session.hold]
	session     *session // the trial in hand, until Release
}

var _ slot.Runner = (*Trainer)(nil)

// New reads the study's corpus and divides it for the stage. An error is the study's or
// the corpus's fault: no trial can be trained.
func New(ctx context.Context, o Options) (*Trainer, error) {
	if o.Folder == nil {
		o.Folder = func(_ context.Context, place string) (string, error) { return place, nil }
	}
	source := o.Study.Corpus
	var err error
	if source.Dir, err = o.Folder(ctx, source.Dir); err != nil {
		return nil, err
	}
	corpus, err := dataset.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	examples, err := corpus.Examples(o.Study.Agent)
	if err != nil {
		return nil, err
	}
	tasks, err := newTasks(o.Study.Agent, examples)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(o.Study, o.Stage, examples)
	if err != nil {
		return nil, err
	}
	open := func(c classifier.Options) (model, error) { return classifier.New(o.Worker, c) }
	return &Trainer{
		Options: o, examples: examples, tasks: tasks, fingerprint: corpus.Fingerprint(), plan: p,
		library: newLibrary(o.Study.Models, o.Folder, examples), open: open, holdLimit: defaultHoldLimit,
	}, nil
}

// Run trains every seed of the work to its last epoch, or until the seed stops early, and
// returns the rung's epochs, those that an interrupted attempt had saved included.
func (t *Trainer) Run(ctx context.Context, work protocol.Work) (slot.Result, error) {
	if t.session != nil && !t.session.continues(work) {
		t.Release()
	}
	if t.session == nil {
		s, err := t.begin(ctx, work)
		if err != nil {
			return slot.Result{}, classify(err)
		}
		t.session = s
	}
	s := t.session
	s.work, s.began = work, time.Time{}
	for _, seed := range work.Seeds {
		if err := s.advance(ctx, seed); err != nil {
			t.Release() // its models may be amid an epoch
			return slot.Result{PeakMemoryBytes: s.peak, Began: s.began}, classify(fmt.Errorf("train seed %d: %w", seed, err))
		}
	}
	return s.result(), nil
}

// Release frees the models of the trial in hand.
func (t *Trainer) Release() {
	if t.session == nil {
		return
	}
	t.session.close()
	t.session = nil
}

// classify says which failures are the trial's own. The others mean that this process
// cannot go on.
func classify(err error) error {
	var known *slot.TrialError
	var notFinite *classifier.NotFiniteError
	var op *tensor.OpError
	switch {
	case errors.Is(err, tensor.ErrOutOfMemory):
		return &slot.TrialError{Kind: protocol.FailedOOM, Err: err}
	case errors.As(err, &known):
		return &slot.TrialError{Kind: known.Kind, Err: err}
	case errors.As(err, &notFinite):
		return &slot.TrialError{Kind: protocol.FailedNaN, Err: err}
	case errors.As(err, &op): // counted, so that a trial which always meets it comes to an end
		return &slot.TrialError{Kind: protocol.FailedCrash, Err: err}
	}
	return err
}

// dataError is a trial that asks for what cannot be: the same on every machine.
func dataError(err error) error { return &slot.TrialError{Kind: protocol.FailedData, Err: err} }
