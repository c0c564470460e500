// Package progress says how far a study is, for a person who waits: as lines for a log, as a
// picture that is drawn in place for a terminal.
package progress

import (
	"math"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
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

	done, total float64 // epochs that the trials' reports stand for, and those that the stage may take
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
	epochs := state.Rungs(stage)
	for _, to := range epochs {
		p.Rungs = append(p.Rungs, Rung{Epochs: to})
	}
	reported := make(map[span]int)
	for _, trial := range state.Trials(stage) {
		from := 0
		for _, report := range trial.Reports {
			rung := &p.Rungs[slices.Index(epochs, report.ToEpoch)]
			rung.Reported++
			if stage != protocol.StageC {
				rung.Best = max(rung.Best, report.Value.F1Macro)
			}
			reported[span{from, report.ToEpoch}]++
			from = report.ToEpoch
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
	p.done, p.total = epochsOf(state.Scheduler(stage).Expected(max(0, p.Counts.Limit-p.Counts.Failed)), reported)
	if p.done > 0 {
		search := map[protocol.Stage]study.SearchStage{protocol.StageA: settings.A, protocol.StageB: settings.B}[stage]
		p.total = max(p.done, min(p.total, p.done*room(search.Budget, state.Spent(stage))))
		p.ToSpend = p.Cost * (p.total - p.done) / p.done
	}
	return p
}

// span is the training from one rung to the next.
type span struct{ from, to int }

// epochsOf estimates how many epochs of training a stage takes, total, and how many of them
// are done, from what the scheduler expects of each span; one that more trials have trained
// already counts as complete.
func epochsOf(expected []asha.Pass, reported map[span]int) (done, total float64) {
	trials := make(map[span]int)
	for _, pass := range expected {
		trials[span{pass.From, pass.To}] += pass.Expected
	}
	for s, n := range reported {
		done += float64((s.to - s.from) * n)
		trials[s] = max(trials[s], n)
	}
	for s, n := range trials {
		total += float64((s.to - s.from) * n)
	}
	return done, total
}

// room returns how many times as much as was spent a budget has room for.
func room(b, spent study.Budget) float64 {
	room := math.Inf(1)
	for _, bound := range []struct{ all, spent float64 }{
		{float64(b.Epochs), float64(spent.Epochs)}, {b.GPUHours, spent.GPUHours}, {b.Dollars, spent.Dollars},
	} {
		if bound.all > 0 && bound.spent > 0 {
			room = min(room, bound.all/bound.spent)
		}
	}
	return room
}

// Reports counts the reports of all rungs.
func (p Status) Reports() int {
	n := 0
	for _, r := range p.Rungs {
		n += r.Reported
	}
	return n
}
