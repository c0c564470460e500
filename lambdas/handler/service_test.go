package handler

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

func wantCode(t *testing.T, err error, code protocol.ErrorCode, want string) {
	t.Helper()
	if err == nil || Code(err) != code || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v with code %s, want …%s… with %s", err, Code(err), want, code)
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.State(ctx, "small")
	wantCode(t, err, protocol.CodeNotFound, `there is no study "small"`)
	w.create()
	w.create() // taken up again
	kept, err := w.bucket.Read(ctx, config.Key("small"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.FromJSON(kept)
	if err != nil || c.Stages.A.Export != 5 {
		t.Fatalf("%s holds %+v, %v", config.Key("small"), c, err)
	}

	// Another process, with another file under the same name.
	for text, want := range map[string]string{
		strings.Replace(small, "trials: 12", "trials: 13", 1):              "created from another file: a differ",
		strings.Replace(small, "layout: groundtruth", "layout: redsm5", 1): "created from another file: corpus differ",
		small + "models: {tiny: ../tiny}\n":                                "created from another file: space differ",
	} {
		other, err := config.Parse("small.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, w.another().Create(ctx, other), protocol.CodeConflict, want)
	}
	if now, err := w.bucket.Read(ctx, config.Key("small")); err != nil || !bytes.Equal(now, kept) {
		t.Errorf("%s was changed, %v", config.Key("small"), err)
	}
	if n := len(w.log.events); n != 1 {
		t.Errorf("the log has %d events, want 1", n)
	}

	// A study whose corpus lies elsewhere now goes on with it.
	moved := *w.config
	moved.Corpus.Dir = "/elsewhere"
	if err := w.another().Create(ctx, &moved); err != nil {
		t.Fatal(err)
	}
	if now, err := w.bucket.Read(ctx, config.Key("small")); err != nil || !bytes.Contains(now, []byte("/elsewhere")) {
		t.Errorf("%s holds the former folder, %v", config.Key("small"), err)
	}
	w.create()

	// A creator that died between the log and the object.
	if err := w.bucket.Delete(ctx, config.Key("small")); err != nil {
		t.Fatal(err)
	}
	w.create()
	if now, err := w.bucket.Read(ctx, config.Key("small")); err != nil || !bytes.Equal(now, kept) {
		t.Errorf("%s was not written again, %v", config.Key("small"), err)
	}

	if err := w.bucket.Write(ctx, config.Key("small"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Create(ctx, w.config), protocol.CodeUnavailable, "read the former file of study small")

	bad := *w.config
	bad.Name = "../small"
	wantCode(t, w.Create(ctx, &bad), protocol.CodeInvalid, "../small")
	_, err = w.State(ctx, "../small")
	wantCode(t, err, protocol.CodeInvalid, "study name")
}

// Of creators that race, one makes the study and all of them have it.
func TestCreateTogether(t *testing.T) {
	w := newWorld(t)
	errs := make(chan error)
	const creators = 5
	for range creators {
		s := w.another()
		go func() { errs <- s.Create(context.Background(), w.config) }()
	}
	for range creators {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(w.log.events); n != 1 {
		t.Errorf("the log has %d events, want 1", n)
	}
}

// A lease that runs out gives the trial to another slot under the next attempt, and what
// the first one says then changes nothing.
func TestLeaseRunsOut(t *testing.T) {
	w := newWorld(t)
	w.create()
	ctx := t.Context()
	req := w.request(protocol.StageA)
	if _, err := w.Plan(ctx, req); err != nil {
		t.Fatal(err)
	}
	ask := protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA, Slot: "first", Token: 1}
	reply, err := w.Ask(ctx, ask)
	if err != nil || reply.Work == nil {
		t.Fatalf("Ask = %+v, %v", reply, err)
	}
	first := *reply.Work
	w.ticks.Add(60_000)
	beat, err := w.Heartbeat(ctx, protocol.HeartbeatRequest{SchemaVersion: 1, Study: "small", Trial: first.Trial, Attempt: first.Attempt})
	if err != nil || beat.Lost || !beat.LeaseUntil.After(first.LeaseUntil) {
		t.Fatalf("Heartbeat = %+v, %v", beat, err)
	}
	w.ticks.Add(121_000)
	check, err := w.another().Check(ctx, req)
	if err != nil || len(check.Requeued) != 1 || check.Requeued[0] != first.Trial || check.Counts.Queued != 1 {
		t.Fatalf("Check = %+v, %v", check, err)
	}
	ask.Slot = "second"
	reply, err = w.Ask(ctx, ask)
	if err != nil || reply.Work == nil || reply.Work.Trial != first.Trial || reply.Work.Attempt != first.Attempt+1 {
		t.Fatalf("Ask = %+v, %v; want trial %d again", reply, err, first.Trial)
	}
	outcome, _ := w.train(protocol.StageA, first)
	before := len(w.log.events)
	told, err := w.Tell(ctx, tell(first, outcome))
	if err != nil || told.Kind != protocol.TellStale || len(w.log.events) != before {
		t.Fatalf("Tell = %+v, %v", told, err)
	}
}

// The log is compacted in passing: a new process starts from a snapshot and few events.
func TestCompaction(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.walk(protocol.StageA)
	r, err := w.Log.Load(t.Context(), "small", 0)
	if err != nil || r.SnapshotSeq == 0 || len(r.Events) >= compactFirst {
		t.Fatalf("after %d events: snapshot at %d and %d events, %v", r.Seq, r.SnapshotSeq, len(r.Events), err)
	}
	want, err := w.log.replayed(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	st, err := w.another().State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := st.Snapshot(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the restored state differs, %v", err)
	}
}

// What State returned does not change under its reader.
func TestStateIsTheReaders(t *testing.T) {
	w := newWorld(t)
	w.create()
	st, err := w.State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	before, err := st.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	w.walk(protocol.StageA)
	if after, err := st.Snapshot(); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the state changed, %v", err)
	}
}

// fakeLog is a Log with functions in place of some methods.
type fakeLog struct {
	store.Log
	load    func(have int64) (store.Records, error)
	append  func() error
	compact func() error
}

func (f *fakeLog) Load(ctx context.Context, name string, have int64) (store.Records, error) {
	if f.load != nil {
		return f.load(have)
	}
	return f.Log.Load(ctx, name, have)
}

func (f *fakeLog) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	if f.append != nil {
		return f.append()
	}
	return f.Log.Append(ctx, name, after, events)
}

func (f *fakeLog) Compact(ctx context.Context, name string, seq int64, snapshot []byte) error {
	if f.compact != nil {
		return f.compact()
	}
	return f.Log.Compact(ctx, name, seq, snapshot)
}

func TestConflictsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.create()
	tries := 0
	w.Log = &fakeLog{Log: w.Log, append: func() error { tries++; return store.ErrConflict }}
	_, err := w.Plan(t.Context(), w.request(protocol.StageA))
	if !errors.Is(err, store.ErrConflict) || Code(err) != protocol.CodeUnavailable || tries != maxRounds+1 {
		t.Errorf("Plan = %v after %d tries", err, tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.Log = &fakeLog{Log: w.Log, append: func() error { cancel(); return store.ErrConflict }}
	if _, err := w.Plan(ctx, w.request(protocol.StageA)); !errors.Is(err, context.Canceled) {
		t.Errorf("Plan of a cancelled context = %v", err)
	}
}

// An append that failed on the way back did happen; the repeated request finds it done.
func TestAppendOfUnknownFate(t *testing.T) {
	w := newWorld(t)
	w.create()
	good := w.Log
	broken := errors.New("connection reset")
	w.Log = &lostAnswer{Log: good, err: broken}
	req := w.request(protocol.StageA)
	if _, err := w.Plan(t.Context(), req); !errors.Is(err, broken) {
		t.Fatalf("Plan = %v", err)
	}
	w.Log = good
	reply, err := w.Plan(t.Context(), req)
	if err != nil || reply.Trials != 12 || len(w.log.events) != 2 {
		t.Errorf("Plan again = %+v, %v with %d events", reply, err, len(w.log.events))
	}
}

type lostAnswer struct {
	store.Log
	err error
}

func (l *lostAnswer) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	return errors.Join(l.Log.Append(ctx, name, after, events), l.err)
}

func TestCompactionFailureIsOnlyLogged(t *testing.T) {
	w := newWorld(t)
	w.create()
	var logged bytes.Buffer
	w.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	w.Log = &fakeLog{Log: w.Log, compact: func() error { return errors.New("disk full") }}
	w.walk(protocol.StageA)
	if !strings.Contains(logged.String(), "compaction failed") || !strings.Contains(logged.String(), "disk full") {
		t.Errorf("logged %q", logged.String())
	}
}

func TestLoadErrors(t *testing.T) {
	broken := errors.New("no connection")
	created := func(text string) store.Records { return store.Records{Seq: 1, Events: [][]byte{[]byte(text)}} }
	for name, c := range map[string]struct {
		records store.Records
		err     error
		code    protocol.ErrorCode
		want    string
	}{
		"unreachable":    {err: broken, code: protocol.CodeUnavailable, want: "no connection"},
		"newer log":      {err: store.ErrNewerSchema, code: protocol.CodeConflict, want: "newer"},
		"newer event":    {records: created(`{"v": 99, "type": "created"}`), code: protocol.CodeConflict, want: "newer"},
		"no JSON":        {records: created(`{`), code: protocol.CodeUnavailable, want: "read event 1"},
		"no settings":    {records: created(`{"v": 1, "type": "created"}`), code: protocol.CodeUnavailable, want: "event 1"},
		"newer snapshot": {records: store.Records{Seq: 1, SnapshotSeq: 1, Snapshot: []byte(`{"schema_version": 99}`)}, code: protocol.CodeConflict, want: "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Log = &fakeLog{load: func(int64) (store.Records, error) { return c.records, c.err }}
			_, err := w.Plan(t.Context(), w.request(protocol.StageA))
			wantCode(t, err, c.code, c.want)
			wantCode(t, w.Create(t.Context(), w.config), c.code, c.want)
			_, err = w.Aggregate(t.Context(), w.request(protocol.StageA))
			wantCode(t, err, c.code, c.want)
		})
	}
}

// A log that was put back to an earlier point is read anew.
func TestLogReplaced(t *testing.T) {
	w := newWorld(t)
	w.create()
	good := w.Log
	first, err := good.Load(t.Context(), "small", 0)
	if err != nil {
		t.Fatal(err)
	}
	w.walk(protocol.StageA)
	w.Log = &fakeLog{load: func(have int64) (store.Records, error) {
		if have > 1 {
			return store.Records{}, store.ErrConflict
		}
		return first, nil
	}}
	st, err := w.State(t.Context(), "small")
	if err != nil || st.Stage() != protocol.StageA || len(st.Trials(protocol.StageA)) != 0 {
		t.Errorf("State = %v, %v", st, err)
	}
}

// A request that waits for another of its study leaves when its context ends.
func TestLockLeavesWithContext(t *testing.T) {
	w := newWorld(t)
	w.create()
	e, err := w.lock(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	defer e.unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.State(ctx, "small"); !errors.Is(err, context.Canceled) {
		t.Errorf("State = %v", err)
	}
	if _, err := w.Ask(ctx, protocol.AskRequest{Study: "small"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Ask = %v", err)
	}
	if err := w.Create(ctx, w.config); !errors.Is(err, context.Canceled) {
		t.Errorf("Create = %v", err)
	}
}

func TestRefusalsKeepTheirCode(t *testing.T) {
	w := newWorld(t)
	w.create()
	_, err := w.Promote(t.Context(), w.request(protocol.StageA))
	wantCode(t, err, protocol.CodeConflict, "not planned")
	if !errors.Is(err, study.ErrNotDone) {
		t.Errorf("Promote = %v, want ErrNotDone", err)
	}
	_, err = w.Finish(t.Context(), protocol.StudyRequest{Study: "small"})
	wantCode(t, err, protocol.CodeConflict, "finish")
	_, err = w.Plan(t.Context(), w.request("D"))
	wantCode(t, err, protocol.CodeInvalid, "stage")
	if err := w.bucket.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Create(t.Context(), w.config); Code(err) != protocol.CodeUnavailable || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("Create without objects = %v", err)
	}
}
