package cli

import (
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

func TestUnconfirmed(t *testing.T) {
	for violation, want := range map[float64]string{
		0:   "not confirmed",
		0.5: "not confirmed; it breaks the stage's limits, as all do so far: violation 0.5",
	} {
		if got := unconfirmed(study.Trial{Violation: violation}); got != want {
			t.Errorf("violation %v: %q, want %q", violation, got, want)
		}
	}
}

func TestTrialNotes(t *testing.T) {
	var out strings.Builder
	failure := &protocol.Failure{Kind: "oom", Message: "out of memory"}
	if err := trialTable(&out, []study.Trial{{Number: 1, Violation: 0.25}, {Number: 2, Violation: 0.25, Failure: failure}, {Number: 3}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"", "breaks the stage's limits: violation 0.25", "oom: out of memory", ""} {
		if got := strings.TrimSpace(lines[i]); i > 0 && !strings.HasSuffix(got, want) || want == "" && strings.Contains(got, "violation") {
			t.Errorf("line %q, want …%q", got, want)
		}
	}
}
