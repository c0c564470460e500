package home

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// pool returns the slots for one stage.
func (r *run) pool(stage protocol.Stage) *slots {
	count, threads := share(r.options.Slots, r.options.Threads, units(r.options.Device))
	return &slots{
		trainer: r.trainer,
		logs:    r.folder.logs(),
		life:    strconv.FormatInt(time.Now().UnixNano(), 36),
		count:   count,
		grace:   20 * time.Second,
		pause:   cmp.Or(r.options.pause, 200*time.Millisecond),
		env: []string{
			"SUPERMAX_ENDPOINT=" + r.server.endpoint,
			"SUPERMAX_TOKEN=" + r.server.token,
			"SUPERMAX_STUDY=" + r.study.Name,
			"SUPERMAX_STAGE=" + string(stage),
			"SUPERMAX_OBJECTS=" + r.folder.URL(),
			"SUPERMAX_THREADS=" + strconv.Itoa(threads),
		},
		device: r.options.Device,
		release: func(ctx context.Context, slot string, cause protocol.FailureKind, exited error) error {
			if cause == protocol.FailedCrash {
				r.log.Warn("a trainer died and is replaced", "slot", slot, "exit", exited.Error())
				if r.options.Warn != nil {
					r.options.Warn(fmt.Sprintf("the trainer of %s died (%v) and is replaced", slot, exited))
				}
			}
			_, err := r.service.ReleaseSlot(ctx, protocol.ReleaseSlotRequest{
				SchemaVersion: protocol.Version, Study: r.study.Name, Slot: slot, Cause: cause})
			return err
		},
		progress: func(ctx context.Context) (int, error) {
			now, err := r.service.State(ctx, r.study.Name)
			if err != nil {
				return 0, err
			}
			return now.Counts(stage).Failed + len(now.Accepted(stage)), nil
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
		info, err := os.Stat(given)
		switch {
		case err != nil:
			return "", mistake.Errorf("--trainer %s: there is no such file", given)
		case info.IsDir() || info.Mode()&0o111 == 0:
			return "", mistake.Errorf("--trainer %s: it is no program", given)
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
	return "", mistake.Errorf("the trainer is neither beside this program (trainer) nor on PATH (supermax-trainer): build it with make build, or name it with --trainer")
}
