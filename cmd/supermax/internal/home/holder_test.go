package home

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
)

// locked is a run folder that this process holds.
func locked(t *testing.T) (root string, f *Folder) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "runs")
	f, err := LockFolder(root, "small", prints, day)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return root, f
}

// Who holds the lock is its holder, as long as it has the file open.
func TestHolder(t *testing.T) {
	_, f := locked(t)
	holds := func(want int) {
		t.Helper()
		if pid, err := f.Holder(); err != nil || pid != want {
			t.Errorf("holder %d, %v; want %d", pid, err, want)
		}
	}
	holds(os.Getpid())
	refused(t, f.Remove(), "is in use by another supermax")
	f.Close()
	holds(0) // the number is still there
	for _, text := range []string{"", "x", "-1", "0", "1", strconv.Itoa(1 << 30)} {
		if err := os.WriteFile(f.lockFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		holds(0)
	}
	if err := os.Remove(f.lockFile()); err != nil {
		t.Fatal(err)
	}
	holds(0)
	_, err := f.Stop(t.Context())
	refused(t, err, "study small is not under way here")
	if err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestHolderUnreadable(t *testing.T) {
	_, f := locked(t)
	f.Close()
	if err := os.Remove(f.lockFile()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(f.lockFile(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Holder(); err == nil || errors.Is(err, mistake.Err) {
		t.Errorf("a folder in the lock's place: %v", err)
	}
	if _, err := f.Stop(t.Context()); err == nil {
		t.Error("stopped")
	}
	if err := f.Watch(t.Context(), func(progress.Status) {}); err == nil {
		t.Error("watched")
	}
}

// Watching needs a state, and ends with its context.
func TestWatch(t *testing.T) {
	root, f := locked(t)
	refused(t, f.Watch(t.Context(), func(progress.Status) {}), "study small has no state yet")
	_, err := f.Definition(t.Context())
	refused(t, err, "study small has no definition yet")
	study, err := config.Load(trainertest.File(t))
	if err != nil {
		t.Fatal(err)
	}
	service(t, f, study) // which makes it
	ctx, cancel := context.WithCancel(t.Context())
	shown := 0
	err = f.Watch(ctx, func(s progress.Status) {
		shown++
		if !s.Opened || s.Left || s.Stage != "A" {
			t.Errorf("shown %+v", s)
		}
		time.AfterFunc(10*time.Millisecond, cancel)
	})
	if !errors.Is(err, context.Canceled) || shown != 1 {
		t.Errorf("shown %d times: %v", shown, err)
	}
	c, err := f.Definition(t.Context())
	if err != nil || c.Name != "small" {
		t.Errorf("definition %+v, %v", c, err)
	}
	folders, err := Folders(root)
	if err != nil || len(folders) != 1 || folders[0].Name() != "small" {
		t.Errorf("folders %v, %v", folders, err)
	}
	if folders, err := Folders(filepath.Join(root, "none")); err != nil || len(folders) > 0 {
		t.Errorf("folders %v, %v", folders, err)
	}
	if err := os.WriteFile(f.info(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Folders(root)
	refused(t, err, "is not a run folder's description")
}
