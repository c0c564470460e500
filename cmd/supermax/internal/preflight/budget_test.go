package preflight

import (
	"errors"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

func dollars(v float64) *float64 { return &v }

func TestPrice(t *testing.T) {
	for _, tt := range []struct {
		price  float64
		budget *float64
		ok     bool
	}{{0, nil, true}, {2, nil, true}, {2, dollars(5), true}, {0, dollars(5), false}} {
		err := Price(&config.Study{PricePerHour: tt.price}, tt.budget)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, mistake.Err) {
			t.Errorf("price %v: error %v", tt.price, err)
		}
	}
}

// A report costs 36 seconds at 2 dollars an hour, 0.02: the third passes 0.05.
func TestBudget(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	resume := func(budget *float64) {
		t.Helper()
		if _, err := world.Resume(t.Context(), protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: "small", BudgetDollars: budget}); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(budget *float64, want string) {
		t.Helper()
		err := Budget(world.Now(), budget)
		if want == "" && err != nil || want != "" && (!errors.Is(err, mistake.Err) || err.Error() != want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	refused(nil, "")
	refused(dollars(0), "study small has spent its budget of 0.00: 0.00 so far; go on with a higher one, --budget DOLLARS")
	resume(dollars(0.05))
	world.Open("A")
	world.Train("A", trainertest.Working)
	refused(dollars(1), "")
	refused(dollars(0.01), "study small has spent its budget of 0.01: 0.06 so far; go on with a higher one, --budget DOLLARS")
	refused(nil, "study small has spent its budget of 0.05: 0.06 so far; go on with a higher one, --budget DOLLARS")
	resume(dollars(10))
	world.Train("A", trainertest.Working)
	world.Close("A")
	world.Walk("B", "C")
	refused(dollars(0.01), "") // a study at its end needs nothing
}
