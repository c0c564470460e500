package estimate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
)

// Given is one figure for every backbone.
type Given float64

// Seconds implements [Figures].
func (g Given) Seconds(protocol.Stage, string) (float64, error) { return float64(g), nil }

// Source implements [Figures].
func (g Given) Source() string { return "as given" }

// measured are the means of a study's metrics.
type measured struct {
	study    string
	stages   map[protocol.Stage]map[string]mean
	anywhere map[string]mean
	overhead map[protocol.Stage]float64 // slot seconds for a second of an epoch
}

type mean struct{ sum, n float64 }

func (m mean) value() float64 { return m.sum / m.n }

// FromStudy takes the figures from what a study measured, for a study of the same agent: the
// agents differ in rows and encoders. slotSeconds is what the attempts
// of a stage took, of which epochs are a part: loading and saving are the rest.
func FromStudy(study, agent string, rows []results.Row, slotSeconds func(protocol.Stage) float64) (Figures, error) {
	m := &measured{study: study, stages: map[protocol.Stage]map[string]mean{}, anywhere: map[string]mean{}, overhead: map[protocol.Stage]float64{}}
	sums := map[protocol.Stage]float64{}
	for _, r := range newest(rows) {
		if r.Agent != agent {
			return nil, mistake.Errorf("study %s is of agent %s, whose epochs say nothing of those of %s: name a finished study of %s, or give --seconds-per-epoch", study, r.Agent, agent, agent)
		}
		sums[r.Stage] += r.Seconds.Total
		name, ok := r.Params["model.name"].AsString()
		if r.Epoch == 0 || !ok {
			continue // no epoch of training
		}
		if m.stages[r.Stage] == nil {
			m.stages[r.Stage] = map[string]mean{}
		}
		for _, means := range []map[string]mean{m.stages[r.Stage], m.anywhere} {
			was := means[name]
			means[name] = mean{was.sum + r.Seconds.Total, was.n + 1}
		}
	}
	if len(m.anywhere) == 0 {
		return nil, mistake.Errorf("study %s has no epochs to take figures from", study)
	}
	for stage, sum := range sums {
		if sum > 0 {
			m.overhead[stage] = max(1, slotSeconds(stage)/sum)
		}
	}
	return m, nil
}

// newest leaves out epochs that a later attempt of the same rung wrote again.
func newest(rows []results.Row) []results.Row {
	type epoch struct {
		trial, rung, epoch int
		seed               int64
	}
	last := map[epoch]int{}
	for _, r := range rows {
		at := epoch{r.Trial, r.Rung, r.Epoch, r.Seed}
		if was, ok := last[at]; !ok || r.Attempt > was {
			last[at] = r.Attempt
		}
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r results.Row) bool {
		return last[epoch{r.Trial, r.Rung, r.Epoch, r.Seed}] != r.Attempt
	})
}

// Seconds implements [Figures]. A stage in which the study did not train the backbone has
// the mean of those in which it did.
func (m *measured) Seconds(stage protocol.Stage, backbone string) (float64, error) {
	seconds, ok := m.stages[stage][backbone]
	if !ok {
		seconds, ok = m.anywhere[backbone]
	}
	if !ok {
		return 0, mistake.Errorf("study %s did not train %s, so it has no seconds an epoch of it; it trained %s", m.study, backbone, strings.Join(slices.Sorted(maps.Keys(m.anywhere)), ", "))
	}
	overhead := m.overhead[stage]
	if overhead == 0 {
		overhead = 1
	}
	return seconds.value() * overhead, nil
}

// Source implements [Figures].
func (m *measured) Source() string { return "measured by study " + m.study }

// listed is the table configs/seconds.yaml for one instance and agent.
type listed struct {
	instance, agent string
	figures         []figure
}

type figure struct {
	Backbone string  `yaml:"backbone"`
	Agent    string  `yaml:"agent"`
	Instance string  `yaml:"instance"`
	Seconds  float64 `yaml:"seconds"`
	Source   string  `yaml:"source"`
	Date     string  `yaml:"date"`
}

// FromTable takes the figures that come with the program, for an instance and an agent.
func FromTable(instance, agent string) (Figures, error) {
	return parseTable(configs.Seconds, instance, agent)
}

func parseTable(data []byte, instance, agent string) (Figures, error) {
	var t struct {
		Version int      `yaml:"version"`
		Figures []figure `yaml:"figures"`
	}
	if err := yaml.UnmarshalWithOptions(data, &t, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read configs/seconds.yaml: %w", err)
	}
	if t.Version != 1 {
		return nil, fmt.Errorf("read configs/seconds.yaml: version %d is not known; known: 1", t.Version)
	}
	for _, f := range t.Figures {
		if !(f.Seconds > 0) || f.Backbone == "" || f.Agent == "" || f.Instance == "" || f.Source == "" || f.Date == "" {
			return nil, fmt.Errorf("read configs/seconds.yaml: the figure of %s on %s wants seconds above 0, an agent, a source and a date", f.Backbone, f.Instance)
		}
	}
	return &listed{instance, agent, t.Figures}, nil
}

// Seconds implements [Figures].
func (l *listed) Seconds(_ protocol.Stage, backbone string) (float64, error) {
	for _, f := range l.figures {
		if f.Backbone == backbone && f.Agent == l.agent && f.Instance == l.instance {
			return f.Seconds, nil
		}
	}
	return 0, mistake.Errorf("nobody has measured the seconds an epoch of %s takes agent %s on %s: give them with --seconds-per-epoch, or name a finished study that trained it with --from", backbone, l.agent, l.instance)
}

// Source implements [Figures].
func (l *listed) Source() string { return "measured on " + l.instance + ", configs/seconds.yaml" }
