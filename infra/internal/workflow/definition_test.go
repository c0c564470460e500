package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A machine is what the tests read of a state machine, or of a Map's processor.
type machine struct {
	StartAt string
	States  map[string]state
}

type state struct {
	Type           string
	Next           string
	End            bool
	Default        string
	TimeoutSeconds int
	Resource       string
	Choices        []struct{ Next string }
	Retry          []struct {
		ErrorEquals    []string
		MaxAttempts    *int
		JitterStrategy string
	}
	Catch []struct {
		ErrorEquals []string
		Next        string
	}
	ItemProcessor *machine
}

func parse(t *testing.T) machine {
	t.Helper()
	var m machine
	if err := json.Unmarshal([]byte(Definition), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// each calls visit for every state of m and of its Maps.
func (m machine) each(visit func(name string, s state)) {
	for name, s := range m.States {
		visit(name, s)
		if s.ItemProcessor != nil {
			s.ItemProcessor.each(visit)
		}
	}
}

func TestEveryStateIsReachedAndEnds(t *testing.T) {
	seen := map[string]bool{}
	var check func(m machine)
	check = func(m machine) {
		reached := map[string]bool{}
		var walk func(name string)
		walk = func(name string) {
			if reached[name] {
				return
			}
			s, ok := m.States[name]
			if !ok {
				t.Errorf("%s is named as a next state and is not there", name)
				return
			}
			reached[name] = true
			next := []string{s.Next, s.Default}
			for _, c := range s.Choices {
				next = append(next, c.Next)
			}
			for _, c := range s.Catch {
				next = append(next, c.Next)
			}
			next = slices.DeleteFunc(next, func(n string) bool { return n == "" })
			if ends := s.End || s.Type == "Fail" || s.Type == "Succeed"; ends == (len(next) > 0) {
				t.Errorf("%s: has %d next states, and ends: %v", name, len(next), ends)
			}
			if s.Type == "Choice" && s.Default == "" {
				t.Errorf("%s chooses nothing where no condition holds", name)
			}
			for _, n := range next {
				walk(n)
			}
		}
		walk(m.StartAt)
		for name, s := range m.States {
			if !reached[name] {
				t.Errorf("%s is never reached", name)
			}
			if seen[name] {
				t.Errorf("%s is the name of two states", name)
			}
			seen[name] = true
			if s.ItemProcessor != nil {
				check(*s.ItemProcessor)
			}
		}
	}
	check(parse(t))
}

// Each task ends in time, repeats what may pass, with jitter so that many executions do not
// repeat together, and has somewhere to go when it fails. Functions repeat nothing that
// they refused for good.
func TestEveryTaskHasTimeoutRetryAndCatch(t *testing.T) {
	tasks := 0
	parse(t).each(func(name string, s state) {
		if s.Type != "Task" {
			return
		}
		tasks++
		if s.TimeoutSeconds == 0 {
			t.Errorf("%s has no TimeoutSeconds", name)
		}
		if n := len(s.Catch); n == 0 || !slices.Equal(s.Catch[n-1].ErrorEquals, []string{"States.ALL"}) {
			t.Errorf("%s does not catch every error", name)
		}
		repeats := false
		for _, r := range s.Retry {
			if r.MaxAttempts == nil {
				t.Errorf("%s: a Retry leaves MaxAttempts to the default", name)
			} else if *r.MaxAttempts > 0 {
				repeats = true
				if r.JitterStrategy != "FULL" {
					t.Errorf("%s: a Retry has no jitter", name)
				}
			}
		}
		if !repeats {
			t.Errorf("%s repeats nothing", name)
		}
		if strings.HasSuffix(s.Resource, "lambda:invoke") {
			first := s.Retry[0]
			if want := []string{"Invalid", "NotFound", "Conflict", "Unauthorized"}; !slices.Equal(first.ErrorEquals, want) || *first.MaxAttempts != 0 {
				t.Errorf("%s repeats a refusal: %v", name, first)
			}
		}
	})
	if tasks == 0 {
		t.Fatal("the definition has no task")
	}
}

// Every place of the definition is filled, and nothing else is.
func TestPlaces(t *testing.T) {
	want := []string{"JobQueue", "JobDefinition"}
	for _, step := range steps {
		want = append(want, step+"Function")
	}
	rest := Definition
	for _, place := range want {
		if !strings.Contains(rest, "${"+place+"}") {
			t.Errorf("the definition has no place for %s", place)
		}
		rest = strings.ReplaceAll(rest, "${"+place+"}", "")
	}
	if i := strings.Index(rest, "${"); i >= 0 {
		t.Errorf("nothing fills %s", fmt.Sprintf("%.40s", rest[i:]))
	}
}
