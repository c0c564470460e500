package simulate

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A Result is what a simulated study came to. Times are virtual.
type Result struct {
	Study   string  `json:"study"`
	Slots   int     `json:"slots"`
	Seed    uint64  `json:"seed"`
	Stages  []Stage `json:"stages"`
	Total   Bill    `json:"total"`
	Stopped string  `json:"stopped,omitempty"` // why the study ended before its last stage did

	// Chosen is the configuration that the study ends with.
	Chosen *Chosen `json:"chosen,omitempty"`
}

// A Stage is what one stage came to.
type Stage struct {
	Stage protocol.Stage `json:"stage"`
	Tally
	Rungs []Rung `json:"rungs"`
	Bill

	Best      study.Value `json:"best"`       // of the highest F1-macro that a trial reported
	LowestECE float64     `json:"lowest_ece"` // that a trial reported

	// What the trials that were started would come to without a scheduler: each trained to
	// its last epoch, and the best of them.
	InFull InFull `json:"in_full"`
}

// Rung says how many trials have a result at a rung.
type Rung struct {
	Epoch  int `json:"epoch"` // at which it ends
	Trials int `json:"trials"`
}

// Tally counts what happened in a stage.
type Tally struct {
	Trials        int `json:"trials"` // that were started, or begun with
	Completed     int `json:"completed"`
	Paused        int `json:"paused"`
	Failed        int `json:"failed"`
	Epochs        int `json:"epochs"` // of single seeds, trained to their end
	Interruptions int `json:"interruptions"`
	Crashes       int `json:"crashes"`
	Asks          int `json:"asks"` // that the study answered; those of slots that wait while nothing changes are not made
	Tells         int `json:"tells"`
}

// Bill is how long something took and what it cost.
type Bill struct {
	Hours     float64 `json:"hours"`      // until the last slot had no more work
	SlotHours float64 `json:"slot_hours"` // paid for: the sum of the following four
	Work      float64 `json:"work_hours"`
	Starting  float64 `json:"starting_hours"` // before the first ask
	Waiting   float64 `json:"waiting_hours"`  // while there was no work
	Lost      float64 `json:"lost_hours"`     // to epochs that had to be trained again, and to trials that failed
	IdleShare float64 `json:"idle_share"`     // Waiting of SlotHours
	Dollars   float64 `json:"dollars"`
}

// InFull is what a stage's trials would take without a scheduler.
type InFull struct {
	SlotHours float64 `json:"slot_hours"`
	Dollars   float64 `json:"dollars"`
	F1Macro   float64 `json:"f1_macro"` // of the best
}

// Chosen is a study's choice and how it was confirmed.
type Chosen struct {
	Trial int `json:"trial"`
	study.Value
	Params any `json:"params"`
}

// settle sets what follows from the times, which are in seconds until then.
func (b *Bill) settle(price float64) {
	for _, h := range []*float64{&b.Hours, &b.Work, &b.Starting, &b.Waiting, &b.Lost} {
		*h /= 3600
	}
	b.SlotHours = b.Work + b.Starting + b.Waiting + b.Lost
	if b.SlotHours > 0 {
		b.IdleShare = b.Waiting / b.SlotHours
	}
	b.Dollars = price * b.SlotHours
}

// add adds a stage's bill, settled.
func (b *Bill) add(o Bill) {
	b.Hours += o.Hours
	b.Work += o.Work
	b.Starting += o.Starting
	b.Waiting += o.Waiting
	b.Lost += o.Lost
	b.SlotHours += o.SlotHours
	b.Dollars += o.Dollars
	if b.SlotHours > 0 {
		b.IdleShare = b.Waiting / b.SlotHours
	}
}
