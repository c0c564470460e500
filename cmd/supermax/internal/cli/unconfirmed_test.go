package cli

import (
	"testing"

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
