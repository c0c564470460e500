package study

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A column is one number of every row of a table. What follows from other columns has none:
// a trial's number and stage, how many reports it has and of which rungs, a seed's number.
type column[Row any] struct {
	name    string
	missing float64 // the number that most rows have
	get     func(Row) float64
	set     func(Row, float64)
}

// reportRow and seedRow are a report and a seed of a trial.
type reportRow struct {
	*Trial
	report *Report
}

type seedRow struct {
	*Trial
	best *SeedBest
}

// trialStates are the states by their number in a snapshot.
var trialStates = [...]TrialState{Queued, Running, Paused, Completed, Failed, Stale}

// paramPrefix is what the names of the parameters' columns begin with.
const paramPrefix = "param."

// trialTable returns the columns of the trials beside created, which says how many they are,
// and their parameters.
func trialTable() []column[*Trial] {
	return []column[*Trial]{
		{name: "state",
			get: func(t *Trial) float64 { return float64(slices.Index(trialStates[:], t.State)) },
			set: func(t *Trial, x float64) {
				if x >= 0 && x < float64(len(trialStates)) {
					t.State = trialStates[int(x)]
				}
			}},
		{name: "rung",
			get: func(t *Trial) float64 { return float64(t.Rung) },
			set: func(t *Trial, x float64) { t.Rung = int(x) }},
		{name: "attempt",
			get: func(t *Trial) float64 { return float64(t.Attempt) },
			set: func(t *Trial, x float64) { t.Attempt = int(x) }},
	}
}

// paramTable returns the columns of the trials' parameters.
func paramTable(s *space.Space) []column[*Trial] {
	var table []column[*Trial]
	for i := range s.Params {
		table = append(table, column[*Trial]{name: paramPrefix + strconv.Itoa(i), missing: math.NaN(),
			get: func(t *Trial) float64 { return t.point[i] },
			set: func(t *Trial, x float64) { t.point[i] = x }})
	}
	return table
}

// reportTable returns the columns of the reports. A value that is the mean over the trial's
// seeds, as that of its last report is, is not written; nor is one that a trial has not.
func reportTable() []column[reportRow] {
	value := func(name string, of func(*Value) *float64) column[reportRow] {
		return column[reportRow]{name: name, missing: math.NaN(),
			get: func(r reportRow) float64 {
				mean := meanOf(r.Seeds)
				if x := *of(&r.report.Value); x != *of(&mean) {
					return x
				}
				return math.NaN()
			},
			set: func(r reportRow, x float64) {
				if mean := meanOf(r.Seeds); math.IsNaN(x) {
					x = *of(&mean)
				}
				*of(&r.report.Value) = x
			}}
	}
	baseline := func(name string, of func(*protocol.Baseline) *float64) column[reportRow] {
		return column[reportRow]{name: name, missing: math.NaN(),
			get: func(r reportRow) float64 {
				if r.report.Baseline == nil {
					return math.NaN()
				}
				return *of(r.report.Baseline)
			},
			set: func(r reportRow, x float64) {
				if math.IsNaN(x) {
					return
				}
				if r.report.Baseline == nil {
					r.report.Baseline = new(protocol.Baseline)
				}
				*of(r.report.Baseline) = x
			}}
	}
	return []column[reportRow]{
		{name: "report.attempt",
			get: func(r reportRow) float64 { return float64(r.report.Attempt) },
			set: func(r reportRow, x float64) { r.report.Attempt = int(x) }},
		{name: "report.at", // milliseconds after the trial was created
			get: func(r reportRow) float64 { return milliseconds(r.report.At) - milliseconds(r.Created) },
			set: func(r reportRow, x float64) { r.report.At = fromMilliseconds(milliseconds(r.Created) + x) }},
		{name: "report.continue", missing: math.NaN(), // milliseconds from then to the end of the lease
			get: func(r reportRow) float64 {
				if r.report.ContinueUntil.IsZero() {
					return math.NaN()
				}
				return milliseconds(r.report.ContinueUntil) - milliseconds(r.report.At)
			},
			set: func(r reportRow, x float64) {
				if !math.IsNaN(x) {
					r.report.ContinueUntil = fromMilliseconds(milliseconds(r.report.At) + x)
				}
			}},
		{name: "report.carried",
			get: func(r reportRow) float64 {
				if r.report.Carried {
					return 1
				}
				return 0
			},
			set: func(r reportRow, x float64) { r.report.Carried = x != 0 }},
		{name: "report.cost",
			get: func(r reportRow) float64 { return r.report.CostSeconds },
			set: func(r reportRow, x float64) { r.report.CostSeconds = x }},
		{name: "report.memory",
			get: func(r reportRow) float64 { return float64(r.report.PeakMemoryBytes) },
			set: func(r reportRow, x float64) { r.report.PeakMemoryBytes = int64(x) }},
		value("report.f1", func(v *Value) *float64 { return &v.F1Macro }),
		value("report.ece", func(v *Value) *float64 { return &v.ECE }),
		baseline("report.majority", func(b *protocol.Baseline) *float64 { return &b.MajorityF1Macro }),
		baseline("report.untrained", func(b *protocol.Baseline) *float64 { return &b.UntrainedF1Macro }),
	}
}

func seedTable() []column[seedRow] {
	return []column[seedRow]{
		{name: "seed.last",
			get: func(r seedRow) float64 { return float64(r.best.Last) },
			set: func(r seedRow, x float64) { r.best.Last = int(x) }},
		{name: "seed.epoch",
			get: func(r seedRow) float64 { return float64(r.best.Epoch) },
			set: func(r seedRow, x float64) { r.best.Epoch = int(x) }},
		{name: "seed.f1",
			get: func(r seedRow) float64 { return r.best.F1Macro },
			set: func(r seedRow, x float64) { r.best.F1Macro = x }},
		{name: "seed.ece",
			get: func(r seedRow) float64 { return r.best.ECE },
			set: func(r seedRow, x float64) { r.best.ECE = x }},
	}
}

func milliseconds(t time.Time) float64 { return float64(t.UnixMilli()) }

func fromMilliseconds(x float64) time.Time { return time.UnixMilli(int64(x)).UTC() }

func write[Row any](c columns, table []column[Row], rows []Row) {
	for _, col := range table {
		numbers := make([]float64, len(rows))
		for i, row := range rows {
			numbers[i] = col.get(row)
		}
		c.put(col.name, col.missing, numbers)
	}
}

func read[Row any](c *columnLines, table []column[Row], rows []Row) error {
	for _, col := range table {
		numbers, err := c.take(col.name, col.missing, len(rows))
		if err != nil {
			return err
		}
		for i, row := range rows {
			col.set(row, numbers[i])
		}
	}
	return nil
}

// trialColumns returns what every trial has, and the reports and seeds of all in their
// order.
func (s *State) trialColumns() columns {
	c := make(columns)
	var created []float64 // milliseconds after the trial before
	var reports []reportRow
	var seeds []seedRow
	before := 0.0
	trials := make([]*Trial, 0, s.trials.Len())
	for _, t := range s.trials.All() {
		trials = append(trials, t)
		at := milliseconds(t.Created)
		created, before = append(created, at-before), at
		for i := range t.Reports {
			reports = append(reports, reportRow{t, &t.Reports[i]})
		}
		for i := range t.Seeds {
			seeds = append(seeds, seedRow{t, &t.Seeds[i]})
		}
	}
	if len(created) > 0 {
		c["created"] = created
	}
	write(c, trialTable(), trials)
	write(c, paramTable(s.settings.Space), trials)
	write(c, reportTable(), reports)
	write(c, seedTable(), seeds)
	return c
}

// readTrials makes the trials that [State.trialColumns] wrote. The stages are read.
func (s *State) readTrials(c *columnLines) error {
	created, err := c.all("created")
	if err != nil {
		return err
	}
	trials, width := make([]Trial, len(created)), len(s.settings.Space.Params)
	numbers := make(space.Point, len(trials)*width)
	list := make([]*Trial, len(trials))
	at := 0.0
	for n := range trials {
		at += created[n]
		t := &trials[n]
		t.Number, t.Created, t.point = n, fromMilliseconds(at), numbers[n*width:(n+1)*width:(n+1)*width]
		list[n] = t
	}
	s.trials = persistent.Collect(list)
	if err := s.consistentStages(); err != nil {
		return err
	}
	if err := read(c, trialTable(), list); err != nil {
		return err
	}
	// Half of the work is parameters: they are read beside the reports.
	params, paramsErr := c.split(paramPrefix), error(nil)
	var wait sync.WaitGroup
	wait.Go(func() { paramsErr = read(params, paramTable(s.settings.Space), list) })
	err = s.readReports(c)
	wait.Wait()
	for _, part := range []*columnLines{c, params} {
		for name := range part.lines {
			err = cmp.Or(err, fmt.Errorf("column %s is not known", name))
		}
	}
	return cmp.Or(paramsErr, err)
}

// readReports makes the reports and seeds of trials whose state and rung are read.
func (s *State) readReports(c *columnLines) error {
	reported, seeded := 0, 0
	for i, p := range s.plans {
		for t := range s.of(i) {
			t.Stage = stages[i]
			n := t.finishedRungs()
			if n < 0 || n > len(p.rungs(t.Number)) {
				return fmt.Errorf("trial %d: rung %d does not exist", t.Number, t.Rung)
			}
			if n > 0 {
				reported, seeded = reported+n, seeded+len(p.seeds)
			}
		}
	}
	// All of a kind in one piece of memory: a trial that goes on copies what is its own.
	reports, seeds := make([]Report, reported), make([]SeedBest, seeded)
	reportRows, seedRows := make([]reportRow, 0, reported), make([]seedRow, 0, seeded)
	for i, p := range s.plans {
		for t := range s.of(i) {
			n := t.finishedRungs()
			if n == 0 {
				continue
			}
			rungs := p.rungs(t.Number)
			t.Reports, reports = reports[:n:n], reports[n:]
			for rung := range t.Reports {
				r := &t.Reports[rung]
				r.Trial, r.Rung, r.ToEpoch = t.Number, rung, rungs[rung]
				reportRows = append(reportRows, reportRow{t, r})
			}
			t.Seeds, seeds = seeds[:len(p.seeds):len(p.seeds)], seeds[len(p.seeds):]
			for j, seed := range p.seeds {
				t.Seeds[j].Seed = seed
				seedRows = append(seedRows, seedRow{t, &t.Seeds[j]})
			}
		}
	}
	if err := read(c, seedTable(), seedRows); err != nil {
		return err
	}
	return read(c, reportTable(), reportRows)
}

// finishedRungs returns how many rungs the trial has a report of, by its state and rung.
func (t *Trial) finishedRungs() int {
	if t.State == Paused || t.State == Completed {
		return t.Rung + 1
	}
	return t.Rung
}
