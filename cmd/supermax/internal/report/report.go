// Package report writes a study as one HTML file that needs nothing beside it: the
// progress of the best value, the Pareto front and its hypervolume, the learning curves and
// how many trials survive each rung, which parameters matter and where the trials lie, the
// best trials with their parameters, and the cross-validation.
package report

import (
	_ "embed" // the template
	"fmt"
	"html/template"
	"io"
	"math"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

//go:embed report.html.tmpl
var pageSource string

// topTrials is how many of a stage's trials the parameter table shows.
const topTrials = 20

// page is what the template reads.
type page struct {
	Study, Agent string
	Made         string
	Chosen       *chosen
	Stages       []stage
	Folds        *folds
	Colours      []int // of the charts' CSS classes
}

type chosen struct {
	Trial               int
	F1, ECE             string
	Majority, Untrained string
	Params              []param
}

type param struct{ Name, Value string }

type stage struct {
	Name, Title string
	Counts      protocol.Counts
	Hours       string
	Progress    template.HTML
	Pareto      template.HTML
	Curves      template.HTML
	Reached     []key
	Volume      template.HTML
	Survival    template.HTML
	Fates       []key
	Importances template.HTML
	Base        string // of the importances
	Goals       []key
	Parallel    template.HTML
	Brightest   int // how many trials it draws in colour
	Columns     []string
	Limited     bool // one of Trials breaks the limits
	Trials      []trial
	Failures    []failure
}

type trial struct {
	Number          int
	State           study.TrialState
	Epochs          int
	F1, ECE         string
	Front           bool
	Over            bool // it breaks the stage's limits
	Cells           []string
	Seconds, Memory string
}

type failure struct {
	Number        int
	Kind, Message string
}

// Write writes the report. rows are the epochs of all stages, in any order; without them
// there are no learning curves.
func Write(w io.Writer, state *study.State, rows []results.Row, now time.Time) error {
	t, err := template.New("report").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("read the report's template: %w", err)
	}
	data, err := analysis.Of(state)
	if err != nil {
		return err
	}
	settings := state.Settings()
	p := page{Colours: []int{0, 1, 2, 3, 4, 5}, Study: settings.Study, Agent: settings.Agent, Made: now.UTC().Format("2006-01-02 15:04 MST")}
	if c, ok := state.Chosen(); ok {
		p.Chosen = choice(settings.Space, c)
	}
	titles := map[protocol.Stage]string{protocol.StageA: "explore", protocol.StageB: "refine"}
	for _, s := range data.Stages {
		p.Stages = append(p.Stages, search(state, s, titles[s.Stage], rows))
	}
	p.Folds = foldTable(state)
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func choice(s *space.Space, c study.Candidate) *chosen {
	out := &chosen{Trial: c.Trial, F1: score(c.Value.F1Macro), ECE: score(c.Value.ECE)}
	if c.Baseline != nil {
		out.Majority, out.Untrained = score(c.Baseline.MajorityF1Macro), score(c.Baseline.UntrainedF1Macro)
	}
	for _, name := range s.Names() {
		if s.Active(c.Params, name) {
			out.Params = append(out.Params, param{name, c.Params[name].String()})
		}
	}
	return out
}

// search condenses a stage that samples trials.
func search(state *study.State, data analysis.Stage, title string, rows []results.Row) stage {
	id := data.Stage
	s := stage{
		Name: string(id), Title: title, Counts: state.Counts(id),
		Hours:    fmt.Sprintf("%.3f", state.CostSeconds(id)/3600),
		Progress: progress(state, id), Curves: curves(state, id, rows),
		Reached: rungKeys(state.Rungs(id)), Survival: survival(data.Survival), Fates: survivalKeys,
		Importances: importances(data.Importances), Base: importanceBase(data.Importances[0]), Goals: importanceKeys(data.Importances),
		Parallel: parallel(data.Parallel, id == protocol.StageB), Brightest: brightest(len(data.Parallel.Lines)),
	}
	front := map[int]bool{}
	if id == protocol.StageB {
		s.Pareto, s.Volume = pareto(state, id), hypervolume(data.Progress)
		for _, t := range state.Pareto(id) {
			front[t.Number] = true
		}
	}
	sp := state.Settings().Space
	for _, p := range sp.Params {
		if p.Count() != 1 && sp.Reachable(p.Name) {
			s.Columns = append(s.Columns, p.Name)
		}
	}
	for i, t := range state.Best(id) {
		if i == topTrials {
			break
		}
		v, _ := t.Value()
		last := t.Reports[len(t.Reports)-1]
		row := trial{Number: t.Number, State: t.State, Epochs: last.ToEpoch, F1: score(v.F1Macro), ECE: score(v.ECE), Front: front[t.Number], Over: t.Violation > 0,
			Seconds: fmt.Sprintf("%.1f", t.CostSeconds()), Memory: fmt.Sprintf("%.0f", float64(last.PeakMemoryBytes)/(1<<20))}
		for _, name := range s.Columns {
			cell := "–"
			if sp.Active(t.Params, name) {
				cell = short(t.Params[name])
			}
			row.Cells = append(row.Cells, cell)
		}
		s.Trials, s.Limited = append(s.Trials, row), s.Limited || row.Over
	}
	for _, t := range state.Trials(id) {
		if t.Failure != nil {
			s.Failures = append(s.Failures, failure{t.Number, string(t.Failure.Kind), t.Failure.Message})
		}
	}
	return s
}

// folds is the cross-validation table.
type folds struct {
	Numbers []int
	Rows    []foldRow
}

type foldRow struct {
	Trial     int
	Chosen    bool
	Failed    bool
	Cells     []string
	Mean, ECE string
}

func foldTable(state *study.State) *folds {
	candidates := state.Candidates()
	if len(candidates) == 0 {
		return nil
	}
	var out folds
	best, decided := state.Chosen()
	for i := range state.Settings().C.Folds {
		out.Numbers = append(out.Numbers, i)
	}
	for _, c := range candidates {
		row := foldRow{Trial: c.Trial, Failed: c.Failed, Chosen: decided && c.Trial == best.Trial, Mean: "–", ECE: "–"}
		var f1, ece []float64
		for _, f := range c.Folds {
			cell := "–"
			if f.Value != nil {
				cell = fmt.Sprintf("%s / %s", score(f.Value.F1Macro), score(f.Value.ECE))
				f1, ece = append(f1, f.Value.F1Macro), append(ece, f.Value.ECE)
			} else if f.Failure != nil {
				cell = "failed: " + string(f.Failure.Kind)
			}
			row.Cells = append(row.Cells, cell)
		}
		if c.Value != nil {
			row.Mean, row.ECE = spread(f1), spread(ece)
		}
		out.Rows = append(out.Rows, row)
	}
	return &out
}

// spread formats the mean and the sample standard deviation.
func spread(values []float64) string {
	var sum, square float64
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	return fmt.Sprintf("%.4f ± %.4f", mean, math.Sqrt(square/float64(max(1, len(values)-1))))
}

func score(v float64) string { return fmt.Sprintf("%.4f", v) }

// short formats a value to three significant digits.
func short(v space.Value) string {
	if i, ok := v.AsInt(); ok {
		return fmt.Sprint(i)
	}
	if f, ok := v.AsFloat(); ok {
		return fmt.Sprintf("%.3g", f)
	}
	return v.String()
}
