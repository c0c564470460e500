package home

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
)

// service opens a run folder's study as a run does, and makes it.
func service(t *testing.T, f *Folder, s *config.Study) *handler.Service {
	t.Helper()
	db, err := sqlite.Open(t.Context(), f.db())
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(t.Context(), f.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = db.Close(), bucket.Close() })
	w := &handler.Service{Log: db, Objects: bucket, Clock: time.Now}
	if err := w.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return w
}

func fingerprints(t *testing.T, s *config.Study) map[string]string {
	t.Helper()
	prints, err := preflight.Check(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return prints
}

// A stage whose slots come back without progress, or whose steps fail.
func TestWalkerErrors(t *testing.T) {
	broken := errors.New("broken")
	world := trainertest.NewWorld(t, nil)
	w := walker{
		service: world.Service, study: world.Study.Name, opened: func(context.Context, protocol.Stage) {},
		work: func(context.Context, protocol.Stage) error { return broken },
	}
	if err := w.walk(t.Context(), nil); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.work = func(context.Context, protocol.Stage) error { cancel(); return nil }
	if err := w.stage(ctx, "A"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	w.work = func(_ context.Context, stage protocol.Stage) error { // an accepted report has lost its file
		world.Train(stage, trainertest.Working)
		keys, err := world.Objects.List(t.Context(), "metrics/")
		if err != nil {
			return err
		}
		return world.Objects.Delete(t.Context(), keys[0])
	}
	if err := w.stage(t.Context(), "A"); err == nil || !strings.Contains(err.Error(), "aggregate stage A") {
		t.Errorf("error %v", err)
	}
	if err := w.finish(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "finish: ") {
		t.Errorf("error %v", err)
	}
	w.study = "none"
	if err := w.stage(t.Context(), "A"); err == nil || !strings.HasPrefix(err.Error(), "plan stage A: there is no study") {
		t.Errorf("error %v", err)
	}
	if err := releaseFormer(t.Context(), world.Service, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

// A stopped study's walk waits for what still runs and ends; the trials are tabulated.
func TestWalkerStopped(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	ctx := t.Context()
	world.Open("A")
	ask := protocol.AskRequest{SchemaVersion: protocol.Version, Study: "small", Stage: "A", Slot: "late", Device: protocol.Device{Name: "cpu"}, Token: 1}
	if _, err := world.Ask(ctx, ask); err != nil {
		t.Fatal(err)
	}
	if _, err := world.Stop(ctx, protocol.StopRequest{SchemaVersion: protocol.Version, Study: "small", Reason: "user"}); err != nil {
		t.Fatal(err)
	}
	checked := 0
	w := walker{
		service: world.Service, study: "small", opened: func(context.Context, protocol.Stage) {
			time.AfterFunc(100*time.Millisecond, func() {
				_, _ = world.ReleaseSlot(ctx, protocol.ReleaseSlotRequest{SchemaVersion: protocol.Version, Study: "small", Slot: "late", Cause: protocol.FailedInterrupted})
			})
		},
		work: func(context.Context, protocol.Stage) error { checked++; return nil },
	}
	if err := w.walk(ctx, nil); err != nil || checked > 0 {
		t.Errorf("error %v, slots were started %d times", err, checked)
	}
	now := world.Now()
	if c := now.Counts("A"); c.Running > 0 || c.Queued != 1 || now.Closed("A") {
		t.Errorf("%+v", c)
	}
	if keys, err := world.Objects.List(ctx, "trials/"); err != nil || len(keys) != 1 {
		t.Errorf("tables %v, %v", keys, err)
	}
	// While it drains, the run may be ended.
	if _, err := world.Resume(ctx, protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: "small"}); err != nil {
		t.Fatal(err)
	}
	ask.Slot = "later"
	if _, err := world.Ask(ctx, ask); err != nil {
		t.Fatal(err)
	}
	if _, err := world.Stop(ctx, protocol.StopRequest{SchemaVersion: protocol.Version, Study: "small", Reason: "user"}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(ctx)
	w.opened = func(context.Context, protocol.Stage) { time.AfterFunc(50*time.Millisecond, cancel) }
	if err := w.walk(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestServe(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	listener, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); host != "127.0.0.1" {
		t.Errorf("listens on %s", host)
	}
	failed := make(chan error, 1)
	s := serve(world.Service, listener, func(err error) { failed <- err })
	ask := protocol.AskRequest{Study: world.Study.Name, Stage: "A", Slot: "x", Device: protocol.Device{Name: "cpu"}, Token: 1}
	if reply, err := (&protocol.Client{Transport: &protocol.HTTPTransport{Endpoint: s.endpoint, Token: s.token}}).Ask(t.Context(), ask); err != nil || reply.Kind != protocol.AskDone { // no stage is open
		t.Errorf("reply %+v, %v", reply, err)
	}
	var unknown *protocol.Error
	if _, err := (&protocol.Client{Transport: &protocol.HTTPTransport{Endpoint: s.endpoint, Token: s.token + "x"}}).Ask(t.Context(), ask); !errors.As(err, &unknown) || unknown.Status != http.StatusUnauthorized {
		t.Errorf("error %v", err)
	}
	s.close()
	select {
	case err := <-failed:
		t.Errorf("closing failed with %v", err)
	default:
	}

	if listener, err = listen(0); err != nil {
		t.Fatal(err)
	}
	s = serve(world.Service, listener, func(err error) { failed <- err })
	defer s.close()
	_ = listener.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, err := listen(1 << 17); err == nil || errors.Is(err, mistake.Err) {
		t.Errorf("error %v", err)
	}
}

func TestShare(t *testing.T) {
	for _, tt := range []struct{ slots, threads, cores, wantSlots, wantThreads int }{
		{0, 0, 8, 8, 1}, {0, 3, 8, 2, 3}, {0, 16, 8, 1, 16}, {3, 0, 8, 3, 2}, {16, 0, 8, 16, 1}, {5, 7, 8, 5, 7},
	} {
		if s, n := share(tt.slots, tt.threads, tt.cores); s != tt.wantSlots || n != tt.wantThreads {
			t.Errorf("share(%d, %d, %d) = %d, %d", tt.slots, tt.threads, tt.cores, s, n)
		}
	}
	if units("cpu") < 1 || units("cuda") < 1 {
		t.Error("the machine has no units")
	}
}

func TestFindTrainer(t *testing.T) {
	path := script(t, "")
	if got, err := findTrainer(path); err != nil || got != path {
		t.Errorf("got %s, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err := findTrainer("")
	refused(t, err, "neither beside this program", "--trainer")
	dir := t.TempDir()
	if err := os.Rename(path, filepath.Join(dir, "supermax-trainer")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if got, err := findTrainer(""); err != nil || got != filepath.Join(dir, "supermax-trainer") {
		t.Errorf("got %s, %v", got, err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(filepath.Dir(self), "trainer")
	if err := os.WriteFile(beside, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	if got, err := findTrainer(""); err != nil || got != beside {
		t.Errorf("got %s, %v", got, err)
	}
}
