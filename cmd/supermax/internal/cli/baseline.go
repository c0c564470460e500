package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/batchjob/baseline"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/config"
)

func baselineCommand() *cobra.Command {
	var layout string
	var agents []string
	cmd := &cobra.Command{
		Use:   "baseline DIR",
		Short: "Cross-validate TF-IDF with logistic regression on a corpus: what a study has to beat",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			corpus, err := dataset.Open(ctx, config.Corpus{Dir: args[0], Layout: layout})
			if err != nil {
				return wrongCorpus(ctx, err)
			}
			if len(agents) == 0 {
				agents = []string{dataset.Criteria}
				if _, err := corpus.Examples(dataset.Evidence); err == nil {
					agents = append(agents, dataset.Evidence)
				}
			}
			for _, agent := range agents {
				examples, err := corpus.Examples(agent)
				if err != nil {
					return usageError{err}
				}
				result, err := baseline.Run(ctx, examples, baseline.Defaults())
				if err != nil {
					return wrongCorpus(ctx, fmt.Errorf("agent %s: %w", agent, err))
				}
				fmt.Fprintf(cmd.OutOrStdout(), "agent %s\n", agent)
				if err := result.WriteTable(cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&layout, "layout", dataset.Groundtruth, "groundtruth or redsm5")
	cmd.Flags().StringSliceVar(&agents, "agent", nil, "criteria, evidence or both (default: criteria, and evidence if the corpus marks any)")
	return cmd
}

// wrongCorpus marks what is wrong with a corpus as the user's to mend, unless the command
// was stopped.
func wrongCorpus(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return usageError{err}
}
