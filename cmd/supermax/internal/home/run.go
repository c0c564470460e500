package home

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sort"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	state "github.com/supermax-hpo/supermax/shared/study"
)

// Options say how a study is run here; the study file says what is run.
type Options struct {
	Runs    string                // the folder of the run folders
	Slots   int                   // trainer processes; 0: one a core (or a GPU, with Device cuda)
	Threads int                   // threads of each; 0: the cores shared out
	Port    int                   // of the handlers, on loopback; 0: any free one
	Device  string                // cpu, or cuda: one slot a GPU
	Trainer string                // the trainer's path; empty: beside this program, then on PATH
	Stages  []protocol.Stage      // which stages to walk; empty: all, then finish
	Budget  *float64              // dollars at which the study stops by itself; nil: as it was, or none
	Show    func(progress.Status) // called about once a second; may be nil
	Warn    func(string)          // a sentence for the person who waits; may be nil. All of them are in the run folder's log

	pause time.Duration // before a dead trainer is replaced the first time; 0: 200 ms
}

// Run runs a study, or goes on with it where it was left in whatever way, and returns its
// run folder, which is nil when nothing was begun. It ends early when ctx does: the
// trainers give their trials back, and the next Run goes on. It also ends, without an
// error, when the study has spent its budget; the next Run then needs a higher one.
func Run(ctx context.Context, study *config.Study, o Options) (*Folder, error) {
	if err := preflight.Price(study, o.Budget); err != nil {
		return nil, err
	}
	trainer, err := findTrainer(o.Trainer)
	if err != nil {
		return nil, err
	}
	fingerprints, err := preflight.Check(ctx, study)
	if err != nil {
		return nil, err
	}
	listener, err := listen(o.Port)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	folder, err := LockFolder(o.Runs, study.Name, fingerprints, time.Now())
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	r := &run{study: study, options: o, trainer: trainer, folder: folder}
	return folder, explain(r.run(ctx, listener))
}

// run is one life of a study's run.
type run struct {
	study   *config.Study
	options Options
	trainer string
	folder  *Folder
	log     *slog.Logger
	service *handler.Service
	server  *server
}

func (r *run) run(ctx context.Context, listener net.Listener) (err error) {
	file, err := os.OpenFile(r.folder.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	r.log = slog.New(slog.NewJSONHandler(file, nil))
	db, err := sqlite.Open(ctx, r.folder.db())
	if err != nil {
		return err
	}
	defer db.Close()
	bucket, err := objects.Open(ctx, r.folder.URL())
	if err != nil {
		return fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer func() {
		// What ended the context says more than that it ended.
		if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}()
	r.service = &handler.Service{
		Log: &watchedLog{db, func(err error) { cancel(err) }}, Objects: bucket, Clock: awake(), Logger: r.log,
	}
	if err := r.take(ctx); err != nil {
		return err
	}
	r.server = serve(r.service, listener, func(err error) { cancel(fmt.Errorf("serve the handlers: %w", err)) })
	defer r.server.close()

	monitor := newMonitor(r.service, r.study, r.options.Show)
	stop := monitor.every(ctx, time.Second)
	defer stop()
	w := walker{
		service: r.service,
		study:   r.study.Name,
		opened:  monitor.opened,
		work:    func(ctx context.Context, stage protocol.Stage) error { return r.pool(stage).run(ctx) },
	}
	if err := w.walk(ctx, r.options.Stages); err != nil {
		return err
	}
	now, err := r.service.State(ctx, r.study.Name)
	if err != nil {
		return err
	}
	if _, ok := now.Chosen(); ok {
		return r.folder.CopyBest(ctx)
	}
	return nil
}

// take makes the study, or takes it up again, with the budget if there is one.
func (r *run) take(ctx context.Context) error {
	err := r.service.Create(ctx, r.study)
	var refused *state.Error
	if errors.As(err, &refused) {
		return mistake.Errorf("%s: %w", r.folder.Dir, err)
	}
	if err != nil {
		return fmt.Errorf("create the study: %w", err)
	}
	if err := releaseFormer(ctx, r.service, r.study.Name); err != nil {
		return err
	}
	now, err := r.service.State(ctx, r.study.Name)
	if err != nil {
		return fmt.Errorf("read the study's state: %w", err)
	}
	if err := preflight.Budget(now, r.options.Budget); err != nil {
		return err
	}
	resume := protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: r.study.Name, BudgetDollars: r.options.Budget}
	if _, err := r.service.Resume(ctx, resume); err != nil {
		return fmt.Errorf("go on with the study: %w", err)
	}
	return nil
}

// releaseFormer gives back what the slots of a former life of this run held: the folder's
// lock says that it is over, and its trainers can reach nobody any more.
func releaseFormer(ctx context.Context, service *handler.Service, study string) error {
	now, err := service.State(ctx, study)
	if err != nil {
		return fmt.Errorf("read the study's state: %w", err)
	}
	var former []string
	for _, trial := range now.Trials(now.Stage()) {
		if trial.Lease != nil {
			former = append(former, trial.Lease.Slot)
		}
	}
	sort.Strings(former)
	for _, slot := range former {
		req := protocol.ReleaseSlotRequest{SchemaVersion: protocol.Version, Study: study, Slot: slot, Cause: protocol.FailedInterrupted}
		if _, err := service.ReleaseSlot(ctx, req); err != nil {
			return fmt.Errorf("give back the work of %s: %w", slot, err)
		}
	}
	return nil
}
