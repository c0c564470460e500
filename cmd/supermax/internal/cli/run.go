package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	search "github.com/supermax-hpo/supermax/shared/study"
)

// runFlags are the flags of run and stage.
type runFlags struct {
	options home.Options
	agent   string
	budget  float64
}

// laptopOnly are the flags of runFlags that mean nothing with --aws.
var laptopOnly = []string{"threads", "port", "device", "trainer", "agent"}

func (f *runFlags) add(cmd *cobra.Command) {
	f.addSlots(cmd)
	cmd.Flags().StringVar(&f.agent, "agent", "", "run the study for another agent than its file names: criteria, evidence, share or joint")
}

// addSlots adds the flags that say how the trainers run and what they may cost.
func (f *runFlags) addSlots(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.options.Slots, "slots", 0, "trainer processes (default: one a core, or one a GPU; with --aws 4)")
	flags.Float64Var(&f.budget, "budget", 0, "stop the study by itself at so many dollars, at its price_per_hour (default: as before, or never)")
	flags.IntVar(&f.options.Threads, "threads", 0, "threads of each trainer (default: the cores shared out)")
	flags.IntVar(&f.options.Port, "port", 0, "loopback port of the handlers (default: any free one)")
	flags.StringVar(&f.options.Device, "device", "cpu", "cpu, or cuda for one slot a GPU")
	flags.StringVar(&f.options.Trainer, "trainer", "", "the trainer's path (default: beside supermax, then supermax-trainer on PATH)")
}

// check checks the flags that say how the trainers run.
func (f *runFlags) check(cmd *cobra.Command) error {
	o := &f.options
	switch {
	case o.Slots < 0 || o.Slots > 1024:
		return usage("--slots %d is not allowed; it must be from 0 (one a core) to 1024", o.Slots)
	case o.Threads < 0 || o.Threads > 1024:
		return usage("--threads %d is not allowed; it must be from 0 (the cores shared out) to 1024", o.Threads)
	case o.Port < 0 || o.Port > 65535:
		return usage("--port %d is not allowed; it must be from 0 (any free one) to 65535", o.Port)
	case o.Device != "cpu" && o.Device != "cuda":
		return usage("--device %q is not allowed; allowed: cpu, cuda", o.Device)
	}
	var err error
	o.Budget, err = f.dollars(cmd)
	return err
}

// dollars returns the budget, or nil when none was given.
func (f *runFlags) dollars(cmd *cobra.Command) (*float64, error) {
	if !cmd.Flags().Changed("budget") {
		return nil, nil
	}
	if !(f.budget >= 0) || f.budget > 1e9 {
		return nil, usage("--budget %v is not allowed; it must be a number of dollars from 0", f.budget)
	}
	return &f.budget, nil
}

// load checks the flags and reads the study file.
func (f *runFlags) load(cmd *cobra.Command, path string) (*config.Study, error) {
	if err := f.check(cmd); err != nil {
		return nil, err
	}
	study, err := config.Load(path)
	if err != nil || f.agent == "" {
		return study, err
	}
	if study, err = config.ForAgent(study, f.agent); err != nil {
		return nil, usage("--agent %s: %w", f.agent, err)
	}
	return study, nil
}

func runCommand(stderr io.Writer) *cobra.Command {
	var f runFlags
	var at placeFlags
	var a awsFlags
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a study through its three stages, or go on with it where it stopped",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			if at.aws {
				if err := onlyWithout(cmd, "--aws", laptopOnly...); err != nil {
					return err
				}
				study, err := config.Load(args[0])
				if err != nil {
					return err
				}
				return runOnAWS(cmd, study, at, a, &f, stderr)
			}
			if err := onlyWith(cmd, "--aws", awsOnly...); err != nil {
				return err
			}
			study, err := f.load(cmd, args[0])
			if err != nil {
				return err
			}
			f.options.Runs = at.runs
			return runStudy(cmd.Context(), study, f.options, cmd.OutOrStdout(), stderr)
		},
	}
	f.add(cmd)
	at.add(cmd)
	a.add(cmd)
	return cmd
}

func stageCommand(stderr io.Writer) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "stage a|b|c FILE",
		Short: "Run one stage of a study, after those before it",
		Args:  exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage := protocol.Stage(strings.ToUpper(args[0]))
			if !slices.Contains(protocol.Stages(), stage) {
				return usage("stage %q is not allowed; allowed: a, b, c", args[0])
			}
			study, err := f.load(cmd, args[1])
			if err != nil {
				return err
			}
			f.options.Stages = []protocol.Stage{stage}
			return runStudy(cmd.Context(), study, f.options, cmd.OutOrStdout(), stderr)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.options.Runs, "runs", "runs", "the folder of the run folders")
	return cmd
}

// runStudy runs a study with its progress on stderr and its result on stdout.
func runStudy(ctx context.Context, study *config.Study, o home.Options, stdout, stderr io.Writer) error {
	o.Show = shows(stderr, 1)()
	if _, ok := terminal(stderr); !ok { // warnings would break the picture; they are in the run folder's log
		o.Warn = func(sentence string) { fmt.Fprintln(stderr, "supermax:", sentence) }
	}
	began := time.Now()
	folder, err := home.Run(ctx, study, o)
	var state *search.State
	if folder != nil {
		// Also after an interruption: what was reached so far can be looked at.
		late := context.WithoutCancel(ctx)
		var unwritten error
		if state, unwritten = folder.State(late); unwritten == nil {
			unwritten = writeReport(late, folder, state, folder.Report())
		}
		if err == nil {
			err = unwritten
		}
	}
	if err != nil {
		if folder != nil {
			return &resumable{err}
		}
		return err
	}
	_, chosen := state.Chosen()
	switch reason := state.Stopped(); {
	case !chosen && reason != "":
		fmt.Fprintf(stdout, "study %s is stopped (%s), with %.2f spent; go on with supermax resume %s --budget DOLLARS\n", study.Name, reason, state.SpentDollars(), study.Name)
		return nil
	case !chosen:
		fmt.Fprintf(stdout, "stage %s is done; see supermax best %s\n", o.Stages[len(o.Stages)-1], study.Name)
		return nil
	}
	fmt.Fprintf(stdout, "study %s is done (%s in this run)\n\n", study.Name, time.Since(began).Round(time.Second))
	printChosen(stdout, state)
	fmt.Fprintf(stdout, "\nreport         %s\nconfiguration  %s, %s\nmetrics        %s\n",
		folder.Report(), folder.Best("yaml"), folder.Best("json"), folder.Metrics())
	return nil
}
