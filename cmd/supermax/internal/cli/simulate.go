package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/simulate"
	"github.com/supermax-hpo/supermax/shared/study"
)

// simulateFlags say what is simulated.
type simulateFlags struct {
	options   simulate.Options
	objective string
	seconds   float64
	price     float64
	trials    []int
	json      bool
}

func simulateCommand(stderr io.Writer) *cobra.Command {
	f := simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate [FILE]",
		Short: "Run a study in virtual time over synthetic learning curves, to choose its settings before money is spent",
		Long: `Run a study's three stages in virtual time: its own state machine, sampler and scheduler
decide, and synthetic learning curves stand for the training. Without FILE the study has the
default sizes and the whole space. The same flags and file give the same result.

The curves have the shape of fine-tuning, but what they say of a parameter is made up:
simulate compares schedules, slots and budgets, not configurations.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s takes one file at most and got %d arguments: %s", cmd.CommandPath(), len(args), cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.read(cmd, args)
			if err != nil {
				return err
			}
			o.Observe = simulateProgress(stderr)
			result, err := simulate.Run(cmd.Context(), o)
			if err != nil {
				return simulateRefusal(err)
			}
			if f.json {
				return writeJSON(cmd.OutOrStdout(), result)
			}
			return simulateTable(cmd.OutOrStdout(), o, f.curves(), result)
		},
	}
	f.add(cmd)
	return cmd
}

func (f *simulateFlags) add(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	flags.IntVar(&o.Slots, "slots", 4, "trainers that each stage starts")
	flags.Uint64Var(&o.Seed, "seed", 1, "of everything that happens by chance; the sampler has the study's own")
	flags.StringVar(&f.objective, "objective", "", "search a test function instead: "+strings.Join(functions.Names(), ", "))
	flags.IntSliceVar(&f.trials, "trials", nil, "trials of stage A, or of A and B (default: the study's)")
	flags.Float64Var(&f.seconds, "seconds-per-epoch", 60, "of one seed of bert-base-uncased with 256 tokens and batches of 16")
	flags.Float64Var(&f.price, "price", 0, "of an hour of a slot in dollars (default: the study's price_per_hour)")
	flags.Float64Var(&o.Budget, "budget", 0, "stop the study after so many dollars; 0: never")
	flags.Float64Var(&o.StartSeconds, "start-seconds", 180, "until a slot, or its replacement, asks for work")
	flags.Float64Var(&o.Faults.InterruptionsPerHour, "interruptions", 0, "of each slot by Spot, an hour")
	flags.Float64Var(&o.Faults.SlowShare, "slow-share", 0, "share of the slots that are slow")
	flags.Float64Var(&o.Faults.SlowFactor, "slow-factor", 2, "how many times as long a slow slot takes")
	flags.Float64Var(&o.Faults.OOMShare, "oom-share", 0, "share of the trials that run out of memory")
	flags.Float64Var(&o.Faults.NaNShare, "nan-share", 0, "share of the trials that diverge, besides those whose learning rate is far too high")
	flags.Float64Var(&o.Faults.CrashShare, "crash-share", 0, "share of the attempts at a rung in which the slot dies without a word")
	flags.BoolVar(&f.json, "json", false, "print JSON instead of a table")
}

// emptyStudy is what a study is whose file says nothing: all sizes at their defaults.
const emptyStudy = "version: 1\nname: simulated\nagent: criteria\ncorpus: {dir: ., layout: groundtruth}\n"

// read makes options of the flags and the study file.
func (f *simulateFlags) read(cmd *cobra.Command, args []string) (simulate.Options, error) {
	o := f.options
	file, err := config.Parse("the default study", []byte(emptyStudy))
	if len(args) > 0 {
		file, err = config.Load(args[0])
	}
	if err != nil {
		return o, err
	}
	o.Settings = handler.Settings(file)
	if !(f.seconds > 0 && f.seconds <= 1e5) {
		return o, usage("--seconds-per-epoch %v is not allowed; it must be above 0 and at most 100000", f.seconds)
	}
	o.Model = simulate.FineTuning{Seconds: f.seconds}
	if f.objective != "" {
		of, err := functions.ByName(f.objective)
		if err != nil {
			return o, usage("--objective: %w", err)
		}
		o.Settings.Space = of.Space
		if o.Model, err = simulate.NewFunction(of); err != nil {
			return o, err
		}
	}
	if cmd.Flags().Changed("price") {
		o.Settings.PricePerHour = f.price
	}
	if cmd.Flags().Changed("trials") {
		if err := setTrials(&o.Settings, f.trials); err != nil {
			return o, err
		}
	}
	return o, nil
}

// setTrials makes the stages larger or smaller.
func setTrials(s *study.Settings, trials []int) error {
	if len(trials) < 1 || len(trials) > 2 {
		return usage("--trials has %d numbers; allowed: one for stage A, or two for A and B", len(trials))
	}
	s.A.Trials = trials[0]
	if len(trials) == 2 {
		s.B.Trials = trials[1]
		s.B.Enqueue = min(s.B.Enqueue, s.B.Trials)
	}
	return nil
}

// curves says in words what is learnt.
func (f *simulateFlags) curves() string {
	if f.objective != "" {
		return "test function " + f.objective
	}
	return "learning curves shaped like fine-tuning"
}

// simulateRefusal marks what the user's flags or file got refused for.
func simulateRefusal(err error) error {
	var option *simulate.OptionError
	var refused *study.Error
	if errors.As(err, &option) || errors.As(err, &refused) && refused.Code == protocol.CodeInvalid {
		return usageError{err}
	}
	return err
}

// simulateProgress says every few seconds how far a long simulation is.
func simulateProgress(w io.Writer) func(simulate.Progress) {
	const every = 5 * time.Second
	last := time.Now()
	return func(p simulate.Progress) {
		if time.Since(last) < every {
			return
		}
		last = time.Now()
		c := p.Counts
		fmt.Fprintf(w, "simulate: stage %s, done %d, running %d, paused %d, failed %d of %d, %.1f virtual hours\n",
			p.Stage, c.Completed, c.Running, c.Paused, c.Failed, c.Limit, p.Now.Hours())
	}
}
