package emf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at() time.Time { return time.UnixMilli(1748779200123) }

// A line is what the specification asks for: the root holds the dimensions' and the
// metrics' values under their names, and _aws.CloudWatchMetrics points at them.
func TestPut(t *testing.T) {
	var out bytes.Buffer
	w := Writer{W: &out, Now: at}
	if err := w.Put(map[string]string{Study: "quickstart", Stage: "A"},
		Metric{AskMilliseconds, Milliseconds, 12.5}, Metric{Conflicts, Count, 0}); err != nil {
		t.Fatal(err)
	}
	if err := w.Put(nil, Metric{DollarsSpent, None, 1e-9}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"AskMilliseconds":12.5,"Conflicts":0,"Stage":"A","Study":"quickstart","_aws":{"CloudWatchMetrics":[{"Namespace":"Supermax",` +
			`"Dimensions":[["Stage","Study"],[]],"Metrics":[{"Name":"AskMilliseconds","Unit":"Milliseconds"},{"Name":"Conflicts","Unit":"Count"}]}],` +
			`"Timestamp":1748779200123}}`,
		`{"DollarsSpent":1e-9,"_aws":{"CloudWatchMetrics":[{"Namespace":"Supermax","Dimensions":[[]],` +
			`"Metrics":[{"Name":"DollarsSpent","Unit":"None"}]}],"Timestamp":1748779200123}}`,
		"",
	}
	if d := cmp.Diff(want, strings.Split(out.String(), "\n")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestPutRefuses(t *testing.T) {
	one := Metric{TrialsFailed, Count, 1}
	many := make([]Metric, 101)
	for i := range many {
		many[i] = Metric{Name(fmt.Sprint("M", i)), Count, 1}
	}
	wide := map[string]string{}
	for i := range 31 {
		wide[fmt.Sprint("D", i)] = "x"
	}
	for name, c := range map[string]struct {
		dimensions map[string]string
		metrics    []Metric
		want       string
	}{
		"none":            {nil, nil, "0 metrics; allowed: 1 to 100"},
		"too many":        {nil, many, "101 metrics"},
		"NaN":             {nil, []Metric{one, {BestF1Macro, None, math.NaN()}}, `"BestF1Macro" is NaN`},
		"infinite":        {nil, []Metric{{BestF1Macro, None, math.Inf(-1)}}, "-Inf"},
		"nameless":        {nil, []Metric{{"", None, 1}}, "needs a name"},
		"twice":           {nil, []Metric{one, one}, "TrialsFailed is there twice"},
		"as a dimension":  {map[string]string{"TrialsFailed": "x"}, []Metric{one}, "TrialsFailed is there twice"},
		"empty dimension": {map[string]string{Study: ""}, []Metric{one}, `"Study" has a value of 0 characters`},
		"long dimension":  {map[string]string{Study: strings.Repeat("x", 1025)}, []Metric{one}, "1025 characters; allowed: 1 to 1024"},
		"31 dimensions":   {wide, []Metric{one}, "31 dimensions"},
	} {
		var out bytes.Buffer
		err := Writer{W: &out, Now: at}.Put(c.dimensions, c.metrics...)
		if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%s: %v, want …%s…; wrote %q", name, err, c.want, &out)
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestPutToABrokenPipe(t *testing.T) {
	if err := (Writer{W: broken{}, Now: at}).Put(nil, Metric{Conflicts, Count, 1}); !errors.Is(err, errBroken) {
		t.Errorf("Put = %v", err)
	}
}

// What Put takes is one line of JSON that holds every value.
func FuzzPut(f *testing.F) {
	f.Add("quickstart", 1.5)
	f.Add("quick\nstart", 0.0)
	f.Fuzz(func(t *testing.T, study string, v float64) {
		var out bytes.Buffer
		err := Writer{W: &out, Now: at}.Put(map[string]string{Study: study}, Metric{BestF1Macro, None, v})
		if err != nil {
			if out.Len() > 0 {
				t.Fatalf("an error and %q", &out)
			}
			return
		}
		if line, rest, _ := strings.Cut(out.String(), "\n"); rest != "" || !json.Valid([]byte(line)) {
			t.Fatalf("wrote %q", &out)
		}
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != 3 || got["BestF1Macro"] != v {
			t.Fatalf("%q is %v, %v", &out, got, err)
		}
	})
}

// One failure of 20 is 5 percent; one of 19 says nothing yet.
func TestRateOf(t *testing.T) {
	if percent, ok := RateOf(1, 20); percent != 5 || !ok {
		t.Errorf("1 of 20: %v, %v; want 5, true", percent, ok)
	}
	if percent, ok := RateOf(1, 19); percent != 0 || ok {
		t.Errorf("1 of 19: %v, %v; want 0, false", percent, ok)
	}
}
