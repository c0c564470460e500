package estimate

import (
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/shared/config"
)

// What a call of ask, tell or heartbeat takes. The units were counted on the emulator, which
// charges as DynamoDB does, on 2026-11-23: 300 trials on 4 slots, 770 calls, each function
// with a memory of its own, 3860 write and 1274 read units, snapshots included. The time is
// the bound that the functions are held to; the memory is that of ask and tell.
const (
	writeUnits  = 3860.0 / 770
	readUnits   = 1274.0 / 770
	callSeconds = 0.1
	memoryGB    = 1769.0 / 1024
)

// transitions is about how many states an execution enters for one study: create, map and
// finish, and for each of three stages plan, check, choices, workers, aggregate, promote.
const transitions = 40

// control is what the functions, the table and the state machine cost. A report takes an
// ask and a tell; every slot asks once more in each stage, to be told that it is done; and
// a slot at work renews its lease four times in the lease's length.
func control(c *config.Study, stages []Stage, slots int, t *prices.Table) Range {
	call := t.Lambda.Request + callSeconds*memoryGB*t.Lambda.GBSecond + writeUnits*t.DynamoDB.WriteUnit + readUnits*t.DynamoDB.ReadUnit
	beats := 4 * 3600 / c.LeaseSeconds // an hour
	var calls Range
	for _, s := range stages {
		calls = calls.plus(s.Reports.times(2)).plus(s.SlotHours.times(beats))
		calls = calls.plus(Range{float64(slots), float64(slots)})
	}
	fixed := transitions * t.StepFunctions.Transition
	return calls.times(call).plus(Range{fixed, fixed})
}
