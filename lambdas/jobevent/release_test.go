package jobevent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// fakeStudy remembers what it was told.
type fakeStudy struct {
	told []protocol.ReleaseSlotRequest
	err  error
}

func (f *fakeStudy) ReleaseSlot(_ context.Context, r protocol.ReleaseSlotRequest) (protocol.ReleaseSlotReply, error) {
	f.told = append(f.told, r)
	return protocol.ReleaseSlotReply{Requeued: []int{len(f.told)}}, f.err
}

func read(t *testing.T, file string) Event {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRelease(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	f := &fakeStudy{}
	reply, err := Release(t.Context(), f, read(t, "killed-twice.json"), logger)
	if d := cmp.Diff(Reply{Released: 2, Requeued: []int{1, 2}}, reply); err != nil || d != "" {
		t.Errorf("Release: %v %s", err, d)
	}
	want := []protocol.ReleaseSlotRequest{
		{SchemaVersion: 1, Study: "quickstart", Slot: job + "/1", Cause: taken},
		{SchemaVersion: 1, Study: "quickstart", Slot: job + "/2", Cause: crashed},
	}
	if d := cmp.Diff(want, f.told); d != "" {
		t.Errorf("told: -want +got\n%s", d)
	}
	if lines := strings.Count(logged.String(), "slot released"); lines != 2 {
		t.Errorf("log: %s", &logged)
	}
}

func TestReleaseIgnores(t *testing.T) {
	for file, c := range map[string]struct {
		err  error
		told int
		want string
	}{
		"others.json":    {nil, 0, "the job's environment has no SUPERMAX_STUDY"},
		"running.json":   {nil, 0, ""},
		"array.json":     {nil, 0, ""},
		"succeeded.json": {&study.Error{Code: protocol.CodeNotFound, Message: "there is no study"}, 1, "there is no study"},
	} {
		var logged bytes.Buffer
		f := &fakeStudy{err: c.err}
		reply, err := Release(t.Context(), f, read(t, file), slog.New(slog.NewTextHandler(&logged, nil)))
		if err != nil || reply.Released != 0 || len(f.told) != c.told || !strings.Contains(logged.String(), c.want) || (c.want == "") != (logged.Len() == 0) {
			t.Errorf("%s: %+v, %v, told %v, log %s", file, reply, err, f.told, &logged)
		}
	}
}

// A study that cannot be reached is told again: the event is not lost.
func TestReleaseFails(t *testing.T) {
	broken := errors.New("slow down")
	if _, err := Release(t.Context(), &fakeStudy{err: broken}, read(t, "killed-twice.json"), slog.New(slog.DiscardHandler)); !errors.Is(err, broken) {
		t.Errorf("Release = %v", err)
	}
}
