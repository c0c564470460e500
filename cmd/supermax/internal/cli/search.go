package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/searchbench"
)

func searchCommand(stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Measure the search itself",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(searchBenchCommand(stderr))
	return cmd
}

func searchBenchCommand(stderr io.Writer) *cobra.Command {
	var o searchbench.Options
	var names []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the samplers on test functions",
		Long: `Search test functions with each sampler and print medians and quartiles over the seeds: of
the best value, to be small, or of the hypervolume, to be large. A number of slots each have
a trial running all the time; the oldest is told first.`,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range names {
				f, err := functions.ByName(name)
				if err != nil {
					return usage("--functions: %w", err)
				}
				o.Functions = append(o.Functions, f)
			}
			o.Observe = func(cells []searchbench.Cell) {
				c := cells[len(cells)-1]
				fmt.Fprintf(stderr, "search bench: %s, %s, %d slots: done\n", c.Function, c.Sampler, c.Slots)
			}
			cells, err := searchbench.Run(cmd.Context(), o)
			var refused *searchbench.OptionError
			if errors.As(err, &refused) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), cells)
			}
			return cellTable(cmd.OutOrStdout(), cells)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&names, "functions", judged(), "test functions")
	flags.StringSliceVar(&o.Samplers, "samplers", []string{sampler.NameTPE, sampler.NameNSGA2, sampler.NameRandom}, "samplers")
	flags.IntSliceVar(&o.Trials, "trials", nil, "after which a search is judged (default: 50,100,200 with one objective, 200,500,1000 with several)")
	flags.IntSliceVar(&o.Slots, "slots", []int{1}, "trials at once")
	flags.IntVar(&o.Seeds, "seeds", 20, "how often each search is repeated")
	flags.BoolVar(&asJSON, "json", false, "print JSON, with the value of every seed, instead of a table")
	return cmd
}

// judged are the functions that have something to be judged by.
func judged() []string {
	var names []string
	for _, f := range functions.All() {
		if f.Best != nil || f.Refs != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

func cellTable(out io.Writer, cells []searchbench.Cell) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "function\tsampler\tslots\ttrials\tmeasure\tmedian\tq1\tq3")
	for _, c := range cells {
		measure := string(c.Measure)
		if c.Ref != nil {
			measure = fmt.Sprintf("%s %v", measure, c.Ref)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%.5g\t%.5g\t%.5g\n", c.Function, c.Sampler, c.Slots, c.Trials, measure, c.Median, c.Q1, c.Q3)
	}
	return w.Flush()
}
