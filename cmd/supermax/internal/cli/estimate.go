package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/estimate"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/shared/config"
)

func estimateCommand() *cobra.Command {
	var at placeFlags
	var o estimate.Options
	var seconds float64
	var from, format, agent string
	cmd := &cobra.Command{
		Use:   "estimate FILE",
		Short: "Say how many hours and dollars a study will take on AWS, before anything is started",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed("seconds-per-epoch")
			switch {
			case given && from != "":
				return usage("--seconds-per-epoch and --from exclude each other")
			case given && !(seconds > 0 && seconds <= 1e6):
				return usage("--seconds-per-epoch %v is not allowed; it must be above 0 and at most 1000000", seconds)
			case from == "":
				if err := onlyWith(cmd, "--from", "runs", "aws", "stack"); err != nil {
					return err
				}
			}
			study, err := config.Load(args[0])
			if err != nil {
				return err
			}
			if agent != "" {
				if study, err = config.ForAgent(study, agent); err != nil {
					return usage("--agent %s: %w", agent, err)
				}
			}
			table, err := prices.Load()
			if err != nil {
				return err
			}
			var figures estimate.Figures = estimate.Given(seconds)
			if !given {
				if figures, err = measuredFigures(cmd, at, from, o.Instance, study.Agent); err != nil {
					return err
				}
			}
			e, err := estimate.Make(study, figures, table, o)
			if err != nil {
				return err
			}
			return e.Write(cmd.OutOrStdout(), format)
		},
	}
	at.add(cmd)
	flags := cmd.Flags()
	flags.IntVar(&o.Slots, "slots", 4, "trainers at once")
	flags.StringVar(&o.Instance, "instance", "g5.xlarge", "what a slot runs on: an instance type of configs/prices.yaml")
	flags.BoolVar(&o.Spot, "spot", false, "at Spot prices, which are a range")
	flags.Float64Var(&seconds, "seconds-per-epoch", 0, "of one seed, evaluation included (default: as --from or configs/seconds.yaml says)")
	flags.StringVar(&from, "from", "", "take the seconds an epoch from what this study measured (with --aws: a study there)")
	flags.StringVar(&agent, "agent", "", "estimate for another agent than the file names: criteria, evidence, share or joint")
	flags.StringVar(&format, "format", "table", "table or json")
	return cmd
}

// measuredFigures takes the figures from a study, or from the table that comes with the
// program.
func measuredFigures(cmd *cobra.Command, at placeFlags, from, instance, agent string) (estimate.Figures, error) {
	if from == "" {
		return estimate.FromTable(instance, agent)
	}
	p, err := at.open(cmd, from)
	if err != nil {
		return nil, err
	}
	return studyFigures(cmd.Context(), p, from, agent)
}

func studyFigures(ctx context.Context, at looked, name, agent string) (estimate.Figures, error) {
	state, err := at.State(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := at.Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the figures of study %s: %w", name, err)
	}
	return estimate.FromStudy(name, agent, rows, state.CostSeconds)
}
