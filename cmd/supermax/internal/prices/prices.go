// Package prices is the table of AWS's list prices in configs/prices.yaml.
package prices

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/supermax-hpo/supermax/configs"
)

// version is the version of the table's form.
const version = 1

// A Table is AWS's list prices in dollars, in one region on one day.
type Table struct {
	Version   int                `yaml:"version"`
	Region    string             `yaml:"region"`
	Date      string             `yaml:"date"`
	Instances map[string]float64 `yaml:"instances"` // an hour on demand
	Spot      struct {           // as parts of the on-demand price
		Low  float64 `yaml:"low"`
		High float64 `yaml:"high"`
	} `yaml:"spot"`
	Lambda struct {
		Request  float64 `yaml:"request"`
		GBSecond float64 `yaml:"gb_second"`
	} `yaml:"lambda"`
	DynamoDB struct {
		WriteUnit float64 `yaml:"write_unit"`
		ReadUnit  float64 `yaml:"read_unit"`
	} `yaml:"dynamodb"`
	StepFunctions struct {
		Transition float64 `yaml:"transition"`
	} `yaml:"step_functions"`
	Athena struct {
		Terabyte     float64 `yaml:"terabyte"`
		MinimumBytes int64   `yaml:"minimum_bytes"`
	} `yaml:"athena"`
}

// Load reads the table that comes with the program.
func Load() (*Table, error) {
	var t Table
	if err := yaml.UnmarshalWithOptions(configs.Prices, &t, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read configs/prices.yaml: %w", err)
	}
	if t.Version != version {
		return nil, fmt.Errorf("read configs/prices.yaml: version %d is not known; known: %d", t.Version, version)
	}
	return &t, nil
}

// Instance returns what an hour of an instance costs on demand.
func (t *Table) Instance(name string) (float64, error) {
	price, ok := t.Instances[name]
	if !ok {
		return 0, fmt.Errorf("instance %.40q has no price in configs/prices.yaml; allowed: %s", name, strings.Join(slices.Sorted(maps.Keys(t.Instances)), ", "))
	}
	return price, nil
}

// Query returns what a query that scanned so many bytes costs.
func (t *Table) Query(scanned int64) float64 {
	const terabyte = 1e12
	return float64(max(scanned, t.Athena.MinimumBytes)) / terabyte * t.Athena.Terabyte
}
