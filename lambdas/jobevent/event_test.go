package jobevent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

const (
	job     = "4c7599ae-0a82-49aa-ba5a-4727fcce14a8"
	crashed = protocol.FailedCrash
	taken   = protocol.FailedInterrupted
)

// The events in testdata are of the form that the user guide's example has, fields that we
// do not read included.
func TestEnded(t *testing.T) {
	for file, c := range map[string]struct {
		study string
		want  []End
	}{
		"runnable.json":          {"quickstart", nil},                            // never started
		"running.json":           {"quickstart", nil},                            // its first attempt
		"succeeded.json":         {"quickstart", []End{{job + ":3/1", crashed}}}, // an array's child; it held nothing
		"host-terminated.json":   {"quickstart", []End{{job + ":0/1", taken}}},   // Spot took the machine
		"runnable-again.json":    {"quickstart", []End{{job + "/1", taken}}},     // and Batch tries again
		"running-again.json":     {"quickstart", []End{{job + "/1", taken}}},     // on another machine
		"killed-for-memory.json": {"quickstart", []End{{job + "/1", crashed}}},   // exit code 137, Batch's own reason
		"killed-twice.json":      {"quickstart", []End{{job + "/1", taken}, {job + "/2", crashed}}},
		"user-terminated.json":   {"quickstart", []End{{job + "/1", taken}}}, // exit code 143, a person's reason
		"timed-out.json":         {"quickstart", []End{{job + "/1", crashed}}},
		"not-started.json":       {"quickstart", []End{{job + "/1", crashed}}}, // CannotPullContainerError
		"array.json":             {"quickstart", nil},                          // a parent: its children have events of their own
		"others.json":            {"", nil},
	} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			e, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			if name, ok := e.Detail.Study(); name != c.study || ok != (c.study != "") {
				t.Errorf("Study = %q, %v; want %q", name, ok, c.study)
			}
			if c.study == "" {
				return
			}
			if d := cmp.Diff(c.want, e.Detail.Ended()); d != "" {
				t.Errorf("Ended: -want +got\n%s", d)
			}
		})
	}
}

func TestCause(t *testing.T) {
	code := func(n int) *int { return &n }
	for _, c := range []struct {
		reason string
		exit   *int
		want   protocol.FailureKind
	}{
		{"Host EC2 (instance i-0123456789abcdef0) terminated.", nil, taken},
		{"Host EC2 (instance i-0123456789abcdef0) stopped.", code(137), taken},
		{"Essential container in task exited", code(0), crashed},
		{"Essential container in task exited", code(1), crashed},
		{"Essential container in task exited", code(137), crashed},
		{"Essential container in task exited", code(143), crashed},
		{"Job attempt duration exceeded timeout", code(143), crashed},
		{"Task failed to start", nil, crashed},
		{"CannotPullContainerError: manifest unknown", nil, crashed},
		{"OutOfMemoryError: Container killed due to memory usage", code(137), crashed},
		{"", nil, crashed},
		{"", code(1), crashed},
		{"Terminated by the user", code(143), taken},
		{"Execution was aborted in Step Functions", code(137), taken},
		{"enough for today", nil, taken},
		{"enough for today", code(2), crashed}, // it had died before
		{"I saw Host EC2 go", code(1), crashed},
	} {
		if got := cause(c.reason, c.exit); got != c.want {
			exit := "none"
			if c.exit != nil {
				exit = string(rune('0' + *c.exit%10))
			}
			t.Errorf("cause(%q, …%s) = %s, want %s", c.reason, exit, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	event := func(detail string) string {
		return `{"source": "aws.batch", "detail-type": "Batch Job State Change", "detail": ` + detail + `}`
	}
	for name, c := range map[string]struct{ data, want string }{
		"nothing":       {``, "unexpected end of JSON"},
		"an array":      {`[]`, "cannot unmarshal array"},
		"empty":         {`{}`, `it is "" from ""`},
		"other source":  {`{"source": "aws.ec2", "detail-type": "Batch Job State Change"}`, `from "aws.ec2"; allowed: "Batch Job State Change" from "aws.batch"`},
		"other type":    {`{"source": "aws.batch", "detail-type": "Batch Job Queue Blocked"}`, `it is "Batch Job Queue Blocked"`},
		"no job":        {event(`{}`), `detail.jobId: "" is no job's`},
		"hostile job":   {event(`{"jobId": "../../x"}`), `detail.jobId: "../../x"`},
		"odd index":     {event(`{"jobId": "a:b"}`), `detail.jobId: "a:b"`},
		"long job":      {event(`{"jobId": "` + strings.Repeat("a", 1<<16) + `"}`), "is no job's"},
		"odd attempts":  {event(`{"jobId": "a", "attempts": {}}`), "cannot unmarshal object"},
		"many attempts": {event(`{"jobId": "a", "attempts": [{},{},{},{},{},{},{},{},{},{},{}]}`), "at most 10, not 11"},
	} {
		if e, err := Parse([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %.300v; want …%s…", name, e, err, c.want)
		}
	}
}

// Whatever comes in is refused, or names slots of its own job only.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data)
		if err != nil {
			return
		}
		for _, end := range e.Detail.Ended() {
			if !strings.HasPrefix(end.Slot, e.Detail.ID+"/") || end.Cause != crashed && end.Cause != taken {
				t.Fatalf("job %q ended %+v", e.Detail.ID, end)
			}
		}
	})
}
