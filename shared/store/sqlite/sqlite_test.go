package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/storetest"
)

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (one, another store.Log) {
		path := filepath.Join(t.TempDir(), "study ?%23.db")
		return open(t, path), open(t, path)
	})
}

// The conformance races again, but each caller through a connection of its own, as
// another process has it.
func TestConformanceAcrossConnections(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (one, another store.Log) {
		path := filepath.Join(t.TempDir(), "study.db")
		return &several{dbs: []*DB{open(t, path), open(t, path), open(t, path)}}, open(t, path)
	})
}

// several sends each call to the next of its connections.
type several struct {
	mu   sync.Mutex
	dbs  []*DB
	last int
}

func (s *several) next() *DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = (s.last + 1) % len(s.dbs)
	return s.dbs[s.last]
}

func (s *several) Load(ctx context.Context, study string, have int64) (store.Records, error) {
	return s.next().Load(ctx, study, have)
}

func (s *several) Append(ctx context.Context, study string, after int64, events [][]byte) error {
	return s.next().Append(ctx, study, after, events)
}

func (s *several) Compact(ctx context.Context, study string, seq int64, snapshot []byte) error {
	return s.next().Compact(ctx, study, seq, snapshot)
}

func (s *several) Studies(ctx context.Context) ([]string, error) { return s.next().Studies(ctx) }

func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	var opening sync.WaitGroup
	for range 8 {
		opening.Go(func() {
			d, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := d.Studies(t.Context()); err != nil {
				t.Error(err)
			}
			_ = d.Close()
		})
	}
	opening.Wait()
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	d := open(t, path)
	if err := d.Append(t.Context(), "s", 0, [][]byte{[]byte("one")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := open(t, path).Load(t.Context(), "s", 0)
	if err != nil || len(r.Events) != 1 || string(r.Events[0]) != "one" {
		t.Fatalf("Load after reopening = %+v, %v", r, err)
	}
}

// execSQL runs SQL on a file behind the store's back.
func execSQL(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	execSQL(t, newer, `PRAGMA user_version = 2`)
	other := filepath.Join(dir, "other.db")
	execSQL(t, other, `CREATE TABLE notes (text TEXT)`)
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		newer:                              "its schema version is 2, this program knows 1",
		other:                              "another program's SQLite file",
		text:                               "damaged or not a study store",
		filepath.Join(dir, "no", "dir.db"): "open study store",
	} {
		before, _ := os.ReadFile(path)
		_, err := Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) = %v, want …%s…", filepath.Base(path), err, want)
		}
		if errors.Is(err, store.ErrNewerSchema) != (path == newer) {
			t.Errorf("Open(%s): ErrNewerSchema = %v", filepath.Base(path), errors.Is(err, store.ErrNewerSchema))
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("Open(%s) changed the file", filepath.Base(path))
		}
	}
}

func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	d := open(t, path)
	if err := d.Append(t.Context(), "s", 0, [][]byte{{1}, {2}, {3}}); err != nil {
		t.Fatal(err)
	}
	execSQL(t, path, `DELETE FROM events WHERE seq = 2`)
	if _, err := d.Load(t.Context(), "s", 0); err == nil || !strings.Contains(err.Error(), "events lead to 2 instead of 3") {
		t.Errorf("Load with a missing event = %v", err)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.db")
	d := open(t, path)
	tx, err := open(t, path).db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := d.db.Exec(`PRAGMA busy_timeout = 1`); err != nil {
		t.Fatal(err)
	}
	err = d.Append(t.Context(), "s", 0, [][]byte{{1}})
	if err == nil || !strings.Contains(err.Error(), "another process holds it") {
		t.Errorf("Append under another's lock = %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("mount a small file system: %v (needs root)", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	d := open(t, filepath.Join(dir, "study.db"))
	if err := d.Append(t.Context(), "s", 0, [][]byte{{1}}); err != nil {
		t.Fatal(err)
	}
	err := d.Append(t.Context(), "s", 1, [][]byte{make([]byte, 1<<20)})
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Fatalf("Append on a full disk = %v", err)
	}
	if r, err := d.Load(t.Context(), "s", 0); err != nil || r.Seq != 1 {
		t.Fatalf("Load after it = %+v, %v", r, err)
	}
}

func TestCancelled(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "study.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Studies(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Studies of a cancelled context = %v", err)
	}
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "x.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a cancelled context = %v", err)
	}
}

// What an append acknowledged is there after SIGKILL: a child process appends and prints
// each number once it is acknowledged, and is killed on the way.
func TestKill(t *testing.T) {
	if path := os.Getenv("SQLITE_TEST_KILL"); path != "" {
		d := open(t, path)
		for i := int64(0); ; i++ {
			if err := d.Append(t.Context(), "s", i, [][]byte{[]byte("event")}); err != nil {
				t.Fatal(err)
			}
			_, _ = os.Stdout.WriteString("+")
		}
	}
	path := filepath.Join(t.TempDir(), "study.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), "SQLITE_TEST_KILL="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := int64(0)
	buf := make([]byte, 64)
	for acknowledged < 40 {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the child ended: %v", err)
		}
		acknowledged += int64(n)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	r, err := open(t, path).Load(t.Context(), "s", 0)
	if err != nil || r.Seq < acknowledged || int64(len(r.Events)) != r.Seq {
		t.Fatalf("after a kill: %d events of %d acknowledged, %v", r.Seq, acknowledged, err)
	}
}
