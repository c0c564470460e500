// Command optuna measures our search and Optuna's, in turn and in one run, and prints a line
// for each figure:
//
//	bench search-speed-1000 ours=0.21s peer=39.1s ratio=186
//
// `make bench-search` gives it a Python that has the packages of requirements.txt. Nothing
// else should run meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/supermax-hpo/supermax/tests/bench/internal/command"
)

func main() { command.Main("bench-search", run) }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("optuna", flag.ContinueOnError)
	part := flags.String("part", "all", "speed, quality, parallel or all")
	seeds := flags.Int("seeds", 20, "how often each search for quality is repeated")
	p := peer{}
	flags.StringVar(&p.python, "python", "", "a Python that has requirements.txt")
	flags.StringVar(&p.program, "peer", "tests/bench/optuna/peer.py", "what it runs")
	flags.StringVar(&p.golden, "golden", "tests/golden/hpo", "the folder of hpo_quality.py and hpo_speed.py")
	memory := flags.Int("memory", 0, "measure only our memory with so many trials, in this process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *memory > 0 {
		return ownMemory(*memory)
	}
	b := &bench{peer: p, seeds: *seeds, line: func(format string, a ...any) { fmt.Printf("bench "+format+"\n", a...) }}
	if *seeds < 1 {
		return fmt.Errorf("-seeds %d is not allowed; allowed: 1 or more", *seeds)
	}
	if p.python == "" {
		return errors.New("-python is missing: a Python that has the packages of requirements.txt")
	}
	parts := map[string][]func(context.Context) error{
		"speed":    {b.speed, b.late, b.memory, b.restore},
		"quality":  {b.quality},
		"parallel": {b.parallel},
		"all":      {b.speed, b.late, b.memory, b.restore, b.quality, b.parallel},
	}
	measures, ok := parts[*part]
	if !ok {
		return fmt.Errorf("-part %q is not allowed; allowed: speed, quality, parallel, all", *part)
	}
	for _, measure := range measures {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bench measures one figure after the other.
type bench struct {
	peer  peer
	seeds int
	line  func(format string, a ...any)
	known map[search][][][]float64 // what [bench.searches] found
}
