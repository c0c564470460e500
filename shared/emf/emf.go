// Package emf writes metrics as lines of JSON that CloudWatch Logs turns into metrics by
// itself: no call, no permission and no waiting for whoever measures.
//
// The form is the "Embedded metric format specification" of the Amazon CloudWatch user
// guide.
package emf

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Namespace is the CloudWatch namespace of every metric.
const Namespace = "Supermax"

const (
	maxMetrics    = 100  // of a line
	maxDimensions = 30   // of a line
	maxDimension  = 1024 // characters of a dimension's value
)

// A Metric is one measured value.
type Metric struct {
	Name  Name
	Unit  Unit
	Value float64 // finite
}

// A Writer writes metrics to W, each Put in one Write: Puts from many goroutines do not
// mix where W's Writes do not, as those of os.Stdout.
type Writer struct {
	W   io.Writer
	Now func() time.Time // when it is: the metrics' time
}

// Put writes metrics that share dimensions, by their names, and once more without
// dimensions, which is what alarms look at. Every combination of values is a metric of its
// own, and costs as one: they must be few. A value that CloudWatch would
// drop without a word (NaN, infinite, an empty dimension) is an error, and nothing is
// written.
func (w Writer) Put(dimensions map[string]string, metrics ...Metric) error {
	if err := check(dimensions, metrics); err != nil {
		return err
	}
	type definition struct {
		Name Name
		Unit Unit
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	line := make(map[string]any, 1+len(dimensions)+len(metrics))
	d := directive{Namespace: Namespace, Dimensions: [][]string{{}}}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		d.Dimensions[0] = append(d.Dimensions[0], name)
		line[name] = dimensions[name]
	}
	if len(dimensions) > 0 {
		d.Dimensions = append(d.Dimensions, []string{}) // over all studies: alarms take no pattern
	}
	for _, m := range metrics {
		if _, twice := line[string(m.Name)]; twice {
			return fmt.Errorf("put metrics: %s is there twice", m.Name)
		}
		d.Metrics = append(d.Metrics, definition{m.Name, m.Unit})
		line[string(m.Name)] = m.Value
	}
	line["_aws"] = map[string]any{"Timestamp": w.Now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	data, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("put metrics: %w", err)
	}
	if _, err := w.W.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("put metrics: %w", err)
	}
	return nil
}

// check refuses what CloudWatch would not take.
func check(dimensions map[string]string, metrics []Metric) error {
	if len(metrics) == 0 || len(metrics) > maxMetrics {
		return fmt.Errorf("put metrics: %d metrics; allowed: 1 to %d", len(metrics), maxMetrics)
	}
	if len(dimensions) > maxDimensions {
		return fmt.Errorf("put metrics: %d dimensions; allowed: up to %d", len(dimensions), maxDimensions)
	}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		if value := dimensions[name]; name == "" || value == "" || len(value) > maxDimension {
			return fmt.Errorf("put metrics: the dimension %q has a value of %d characters; allowed: 1 to %d", name, len(value), maxDimension)
		}
	}
	for _, m := range metrics {
		if m.Name == "" || math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
			return fmt.Errorf("put metrics: the metric %q is %v; it needs a name and a finite value", m.Name, m.Value)
		}
	}
	return nil
}
