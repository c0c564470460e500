package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// view makes a command that looks at one study, wherever it lies.
func view(use, short string, show func(cmd *cobra.Command, at place, state *study.State) error) *cobra.Command {
	var f placeFlags
	cmd := &cobra.Command{
		Use:   use + " STUDY",
		Short: short,
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := f.open(cmd, args[0])
			if err != nil {
				return err
			}
			state, err := at.State(cmd.Context())
			if err != nil {
				return err
			}
			return show(cmd, at, state)
		},
	}
	f.add(cmd)
	return cmd
}

func statusCommand() *cobra.Command {
	return view("status", "Say how far a study is", func(cmd *cobra.Command, at place, state *study.State) error {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "stage\tstate\tlimit\tqueued\trunning\tpaused\tcompleted\tfailed\tbest F1-macro\tECE\tslot hours")
		for _, stage := range protocol.Stages() {
			phase := "not open"
			if state.Closed(stage) {
				phase = "closed"
			} else if state.Open(stage) {
				phase = "open"
			}
			p := progress.Of(state, stage, 0)
			best, ece := "-", "-"
			if p.Best != nil {
				best, ece = fmt.Sprintf("%.4f", p.Best.F1Macro), fmt.Sprintf("%.4f", p.Best.ECE)
			}
			c := p.Counts
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%.3f\n", stage, phase,
				c.Limit, c.Queued, c.Running, c.Paused, c.Completed, c.Failed, best, ece, state.CostSeconds(stage)/3600)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		return standing(cmd, at, state)
	})
}

// standing says what the table of the stages does not: what was spent, why the study gives
// out no work, who is at work on it.
func standing(cmd *cobra.Command, at place, state *study.State) error {
	out := cmd.OutOrStdout()
	for _, line := range budgets(state) {
		fmt.Fprintln(out, line)
	}
	if state.Settings().PricePerHour > 0 {
		fmt.Fprintf(out, "spent %.2f", state.SpentDollars())
		if budget, ok := state.BudgetDollars(); ok {
			fmt.Fprintf(out, " of %.2f", budget)
		}
		fmt.Fprintln(out)
	}
	if reason := state.Stopped(); reason != "" {
		fmt.Fprintf(out, "stopped (%s)\n", reason)
	}
	under, err := at.under(cmd.Context())
	switch {
	case err != nil:
		return err
	case under != "":
		fmt.Fprintln(out, under)
	case state.Stage() != "":
		fmt.Fprintln(out, "nothing is under way")
	}
	return nil
}

func bestCommand() *cobra.Command {
	return view("best", "Print the chosen configuration, or the best so far", func(cmd *cobra.Command, _ place, state *study.State) error {
		if _, ok := state.Chosen(); ok {
			printChosen(cmd.OutOrStdout(), state)
			return nil
		}
		for _, stage := range []protocol.Stage{protocol.StageB, protocol.StageA} {
			if ranked := state.Best(stage); len(ranked) > 0 {
				t := ranked[0]
				value, _ := t.Value()
				fmt.Fprintf(cmd.OutOrStdout(), "best so far: trial %d of stage %s  F1-macro %.4f  ECE %.4f  (%s)\n\n", t.Number, stage, value.F1Macro, value.ECE, unconfirmed(t))
				printParams(cmd.OutOrStdout(), state.Settings().Space, t.Params)
				return nil
			}
		}
		return usage("study %s has no best configuration yet: no trial has reported", state.Settings().Study)
	})
}

// unconfirmed says what is still against the best trial so far.
func unconfirmed(t study.Trial) string {
	if t.Violation > 0 {
		return fmt.Sprintf("not confirmed; it breaks the stage's limits, as all do so far: violation %.3g", t.Violation)
	}
	return "not confirmed"
}

// printChosen prints the configuration that the study ended with and how it was confirmed.
func printChosen(w io.Writer, state *study.State) {
	chosen, ok := state.Chosen()
	if !ok {
		return
	}
	fmt.Fprintf(w, "chosen: trial %d, confirmed on %d folds × %d seeds\n", chosen.Trial, len(chosen.Folds), len(state.Settings().C.Seeds))
	fmt.Fprintf(w, "  F1-macro  %.4f", chosen.Value.F1Macro)
	if b := chosen.Baseline; b != nil {
		fmt.Fprintf(w, "   (majority class %.4f, untrained model %.4f)", b.MajorityF1Macro, b.UntrainedF1Macro)
	}
	fmt.Fprintf(w, "\n  ECE       %.4f\n\n", chosen.Value.ECE)
	printParams(w, state.Settings().Space, chosen.Params)
}

// printParams prints the parameters that are switched on, in the space's order.
func printParams(w io.Writer, s *space.Space, params space.Assignment) {
	for _, name := range s.Names() {
		if s.Active(params, name) {
			fmt.Fprintf(w, "  %-30s %s\n", name, params[name])
		}
	}
}

func trialsCommand() *cobra.Command {
	var stage, format string
	cmd := view("trials", "List the trials", func(cmd *cobra.Command, _ place, state *study.State) error {
		show := protocol.Stages()
		if stage != "" {
			one := protocol.Stage(strings.ToUpper(stage))
			if !slices.Contains(show, one) {
				return usage("--stage %q is not allowed; allowed: a, b, c", stage)
			}
			show = []protocol.Stage{one}
		}
		var trials []study.Trial
		for _, s := range show {
			trials = append(trials, state.Trials(s)...)
		}
		switch format {
		case "json":
			e := json.NewEncoder(cmd.OutOrStdout())
			for _, t := range trials {
				if err := e.Encode(t); err != nil {
					return fmt.Errorf("write trial %d: %w", t.Number, err)
				}
			}
			return nil
		case "table":
			return trialTable(cmd.OutOrStdout(), trials)
		}
		return usage("--format %q is not allowed; allowed: table, json", format)
	})
	cmd.Flags().StringVar(&stage, "stage", "", "only one stage: a, b or c")
	cmd.Flags().StringVar(&format, "format", "table", "table, or json with one trial a line")
	return cmd
}

func trialTable(out io.Writer, trials []study.Trial) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "trial\tstage\tfold\tstate\trung\tepochs\tF1-macro\tECE\tseconds\tmodel\tlr\tnote")
	for _, t := range trials {
		fold, epochs, f1, ece, note := "-", 0, "-", "-", ""
		if t.Fold != nil {
			fold = fmt.Sprint(*t.Fold)
		}
		if value, ok := t.Value(); ok {
			f1, ece = fmt.Sprintf("%.4f", value.F1Macro), fmt.Sprintf("%.4f", value.ECE)
			epochs = t.Reports[len(t.Reports)-1].ToEpoch
		}
		if t.Violation > 0 {
			note = fmt.Sprintf("breaks the stage's limits: violation %.3g", t.Violation)
		}
		if t.Failure != nil {
			note = string(t.Failure.Kind) + ": " + t.Failure.Message
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%.1f\t%s\t%s\t%s\n", t.Number, t.Stage, fold, t.State, t.Rung, epochs, f1, ece,
			t.CostSeconds(), t.Params["model.name"], t.Params["optim.lr"], note)
	}
	return w.Flush()
}

func exportCommand() *cobra.Command {
	var what, format, out string
	cmd := view("export", "Write the best configuration, a stage's best trials, the Pareto front or the candidates", func(cmd *cobra.Command, at place, _ *study.State) error {
		if format != "yaml" && format != "json" {
			return usage("--format %q is not allowed; allowed: yaml, json", format)
		}
		data, err := at.Export(cmd.Context(), what, format)
		if err != nil {
			return err
		}
		if out == "" {
			_, err = cmd.OutOrStdout().Write(data)
			return err
		}
		return home.WriteWhole(out, data)
	})
	cmd.Flags().StringVar(&what, "what", "best", "best, top, pareto or candidates")
	cmd.Flags().StringVar(&format, "format", "yaml", "yaml or json")
	cmd.Flags().StringVar(&out, "out", "", "the file to write (default: standard output)")
	return cmd
}
