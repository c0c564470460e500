package home

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	state "github.com/supermax-hpo/supermax/shared/study"
)

// Options say how a study is run here; the study file says what is run.
type Options struct {
	Runs    string           // the folder of the run folders
	Slots   int              // trainer processes; 0: one a core (or a GPU, with Device cuda)
	Threads int              // threads of each; 0: the cores shared out
	Port    int              // of the handlers, on loopback; 0: any free one
	Device  string           // cpu, or cuda: one slot a GPU
	Trainer string           // the trainer's path; empty: beside this program, then on PATH
	Stages  []protocol.Stage // which stages to walk; empty: all, then finish
	Log     *slog.Logger
	Show    func(Progress) // called about once a second; may be nil
}

// allStages are the stages in the order of the walk.
var allStages = []protocol.Stage{protocol.StageA, protocol.StageB, protocol.StageC}

// Run runs a study, or goes on with it where it was left in whatever way, and returns its
// run folder. It ends early when ctx does: the trainers give their trials back, and the
// next Run goes on. An error that is [ErrInput] changed nothing.
func Run(ctx context.Context, study *config.Study, o Options) (*Folder, error) {
	trainer, err := findTrainer(o.Trainer)
	if err != nil {
		return nil, err
	}
	fingerprints, err := validate(ctx, study)
	if err != nil {
		return nil, err
	}
	folder, err := LockFolder(o.Runs, study.Name, fingerprints, time.Now())
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	db, err := sqlite.Open(ctx, folder.db())
	if err != nil {
		return nil, fmt.Errorf("open the study's state: %w", err)
	}
	defer db.Close()
	bucket, err := objects.Open(ctx, folder.url())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	service := &handler.Service{Log: db, Objects: bucket, Clock: time.Now}
	if err := service.Create(ctx, study); err != nil {
		var refused *state.Error
		if errors.As(err, &refused) {
			return nil, inputError{fmt.Errorf("%s: %w", folder.Dir, err)}
		}
		return nil, fmt.Errorf("create the study: %w", err)
	}
	if err := releaseFormer(ctx, service, study.Name); err != nil {
		return nil, err
	}
	server, err := serve(service, o.Port)
	if err != nil {
		return nil, err
	}
	defer server.close()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-server.failed:
			cancel(fmt.Errorf("serve the handlers: %w", err))
		case <-ctx.Done():
		}
	}()
	monitor := newMonitor(service, study, o.Show)
	stop := monitor.start(ctx)
	defer stop()
	w := walker{
		service: service,
		study:   study.Name,
		opened:  monitor.opened,
		work: func(ctx context.Context, stage protocol.Stage) error {
			return pool(study, stage, o, trainer, folder, service, server).run(ctx)
		},
	}
	if err := w.walk(ctx, o.Stages); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			return folder, cause
		}
		return folder, err
	}
	if now, err := service.State(ctx, study.Name); err != nil {
		return folder, err
	} else if _, ok := now.Chosen(); ok {
		return folder, folder.CopyBest(ctx)
	}
	return folder, nil
}

// walk takes the study through the given stages, or through all of them to its end.
func (w *walker) walk(ctx context.Context, stages []protocol.Stage) error {
	if len(stages) > 0 {
		for _, stage := range stages {
			if err := w.stage(ctx, stage); err != nil {
				return err
			}
		}
		if stages[len(stages)-1] != protocol.StageC {
			return nil
		}
		return w.finish(ctx)
	}
	for _, stage := range allStages {
		if err := w.stage(ctx, stage); err != nil {
			return err
		}
	}
	return w.finish(ctx)
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

// pool returns the slots for one stage.
func pool(study *config.Study, stage protocol.Stage, o Options, trainer string, folder *Folder, service *handler.Service, server *server) *slots {
	count, threads := share(o.Slots, o.Threads, units(o.Device))
	return &slots{
		trainer: trainer,
		logs:    folder.logs(),
		life:    strconv.FormatInt(time.Now().UnixNano(), 36),
		count:   count,
		grace:   20 * time.Second,
		pause:   200 * time.Millisecond,
		env: []string{
			"SUPERMAX_ENDPOINT=" + server.endpoint,
			"SUPERMAX_TOKEN=" + server.token,
			"SUPERMAX_STUDY=" + study.Name,
			"SUPERMAX_STAGE=" + string(stage),
			"SUPERMAX_OBJECTS=" + folder.url(),
			"SUPERMAX_THREADS=" + strconv.Itoa(threads),
		},
		device: o.Device,
		release: func(ctx context.Context, slot string, cause protocol.FailureKind, exited error) error {
			if cause == protocol.FailedCrash {
				o.Log.Warn("a trainer died and is replaced", "slot", slot, "exit", exited.Error())
			}
			_, err := service.ReleaseSlot(ctx, protocol.ReleaseSlotRequest{
				SchemaVersion: protocol.Version, Study: study.Name, Slot: slot, Cause: cause})
			return err
		},
	}
}

// units returns how many slots the machine has room for: GPUs with device cuda, or cores.
func units(device string) int {
	if device != "cuda" {
		return runtime.NumCPU()
	}
	gpus, _ := filepath.Glob("/dev/nvidia[0-9]*") // the pattern is well formed
	return max(1, len(gpus))
}

// share gives every slot its threads: small models train fastest with one thread a slot
// and a slot a core.
func share(slots, threads, cores int) (int, int) {
	switch {
	case slots == 0 && threads == 0:
		return cores, 1
	case slots == 0:
		return max(1, cores/threads), threads
	case threads == 0:
		return slots, max(1, cores/slots)
	}
	return slots, threads
}

// findTrainer returns the trainer's path: as given, beside this program, or on PATH.
func findTrainer(given string) (string, error) {
	if given != "" {
		if _, err := os.Stat(given); err != nil {
			return "", input("--trainer %s: there is no such file", given)
		}
		return filepath.Abs(given)
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "trainer")
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	if found, err := exec.LookPath("supermax-trainer"); err == nil {
		return found, nil
	}
	return "", input("the trainer is neither beside this program (trainer) nor on PATH (supermax-trainer): build it with make build, or name it with --trainer")
}
