package home

import (
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// A lease outlasts a night in which the laptop slept: what has not elapsed for its trainer
// has not elapsed for the study.
func TestLeaseOutlastsSleep(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	var elapsed time.Duration
	world.Service.Clock = steady(time.Now(), func() time.Duration { return elapsed })
	stage := protocol.StageRequest{SchemaVersion: protocol.Version, Study: world.Study.Name, Stage: protocol.StageA}
	if _, err := world.Service.Plan(t.Context(), stage); err != nil {
		t.Fatal(err)
	}
	ask := protocol.AskRequest{SchemaVersion: protocol.Version, Study: world.Study.Name, Stage: protocol.StageA, Slot: "x", Token: 1}
	if reply, err := world.Service.Ask(t.Context(), ask); err != nil || reply.Kind != protocol.AskWork {
		t.Fatalf("reply %+v, %v", reply, err)
	}
	for _, tt := range []struct {
		elapsed time.Duration
		want    int
	}{{time.Minute, 0}, {time.Hour, 1}} {
		elapsed = tt.elapsed
		reply, err := world.Service.Check(t.Context(), stage)
		if err != nil || len(reply.Requeued) != tt.want {
			t.Errorf("after %s: taken back %v, %v, want %d", tt.elapsed, reply.Requeued, err, tt.want)
		}
	}
}

func TestAwake(t *testing.T) {
	clock := awake()
	before := time.Now()
	if got := clock(); got.Before(before) || got.After(time.Now()) {
		t.Errorf("the clock shows %s after %s", got, before)
	}
}
