// Package progress says how far a study is, for a person who waits: as lines for a log, as a
// picture that is drawn in place for a terminal.
package progress

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Status is how far a stage of a study is.
type Status struct {
	Study   string
	Agent   string
	Stage   protocol.Stage
	Opened  bool // the stage has just been opened in this run
	Left    bool // the stage is left in this run: this is the last of it
	Counts  protocol.Counts
	Best    *study.Value // the highest F1-macro and the ECE beside it; in stage C of a candidate, over its folds
	Trial   int          // of Best; in stage C the candidate's number in stage B
	Rungs   []Rung
	Elapsed time.Duration // of the stage, in this run
	Rate    float64       // reports a minute in this run; 0: not known yet
	ToGo    time.Duration // estimate for the rest of the stage, with Rate
	Cost    float64       // money spent on the stage; 0 when the study has no price
	ToSpend float64       // estimate for the rest of the stage
}

// Rung is one row of the rung table.
type Rung struct {
	Epochs   int // where the rung ends
	Reported int
	Best     float64 // F1-macro; 0 with nothing reported, and in stage C, where each report is of one fold
}

// Of condenses a study's state to what is shown of one stage.
func Of(state *study.State, stage protocol.Stage, pricePerHour float64) Status {
	settings := state.Settings()
	p := Status{
		Study: settings.Study, Agent: settings.Agent, Stage: stage,
		Counts: state.Counts(stage),
		Cost:   state.CostSeconds(stage) / 3600 * pricePerHour,
	}
	for _, epochs := range state.Rungs(stage) {
		p.Rungs = append(p.Rungs, Rung{Epochs: epochs})
	}
	for _, trial := range state.Trials(stage) {
		for _, report := range trial.Reports {
			rung := &p.Rungs[report.Rung]
			rung.Reported++
			if stage != protocol.StageC {
				rung.Best = max(rung.Best, report.Value.F1Macro)
			}
		}
		if value, ok := trial.Value(); ok && stage != protocol.StageC && (p.Best == nil || value.F1Macro > p.Best.F1Macro) {
			p.Best, p.Trial = &value, trial.Number
		}
	}
	if stage == protocol.StageC {
		if ranked := state.Candidates(); len(ranked) > 0 && ranked[0].Value != nil {
			p.Best, p.Trial = ranked[0].Value, ranked[0].Trial
		}
	}
	done, total := p.epochs(factor(state, stage))
	if done > 0 {
		p.ToSpend = p.Cost * (total - done) / done
	}
	return p
}

// epochs estimates how many epochs of training the stage takes, total, and how many of
// them are done. With a reduction factor η, n trials make n reports at the first rung,
// about n/η at the second, n/η² at the third, and so on; a rung that has more already
// counts as complete.
func (p Status) epochs(factor int) (done, total float64) {
	share := float64(p.Counts.Limit - p.Counts.Failed)
	from := 0
	for _, rung := range p.Rungs {
		length := float64(rung.Epochs - from)
		done += length * float64(rung.Reported)
		total += length * max(share, float64(rung.Reported))
		from = rung.Epochs
		share /= float64(factor)
	}
	return done, total
}

// factor returns the stage's reduction factor; stage C has one rung and needs none.
func factor(state *study.State, stage protocol.Stage) int {
	switch stage {
	case protocol.StageA:
		return state.Settings().A.Rungs.Factor
	case protocol.StageB:
		return state.Settings().B.Rungs.Factor
	}
	return 1
}

// Reports counts the reports of all rungs.
func (p Status) Reports() int {
	n := 0
	for _, r := range p.Rungs {
		n += r.Reported
	}
	return n
}
