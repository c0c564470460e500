package cli

import (
	"context"
	"fmt"
	"io"

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
				if err := measureBaseline(ctx, cmd.OutOrStdout(), corpus, agent); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&layout, "layout", dataset.Groundtruth, "groundtruth or redsm5")
	cmd.Flags().StringSliceVar(&agents, "agent", nil, "any of criteria, evidence, share, joint (default: criteria, and evidence if the corpus marks any)")
	return cmd
}

// measureBaseline prints what an agent has to beat: each of its tasks and, of two, the mean.
func measureBaseline(ctx context.Context, out io.Writer, corpus *dataset.Corpus, agent string) error {
	tasks, err := dataset.Tasks(agent)
	if err != nil {
		return usageError{err}
	}
	mean, majority := 0.0, 0.0
	for _, task := range tasks {
		examples, err := corpus.Examples(task)
		if err != nil {
			return usageError{err}
		}
		result, err := baseline.Run(ctx, examples, baseline.Defaults())
		if err != nil {
			return wrongCorpus(ctx, fmt.Errorf("agent %s: %w", agent, err))
		}
		mean += result.All.F1Macro / float64(len(tasks))
		majority += result.All.Majority / float64(len(tasks))
		if agent == task {
			fmt.Fprintf(out, "agent %s\n", agent)
		} else {
			fmt.Fprintf(out, "agent %s, task %s\n", agent, task)
		}
		if err := result.WriteTable(out); err != nil {
			return err
		}
	}
	if len(tasks) > 1 {
		fmt.Fprintf(out, "agent %s, mean of its tasks: baseline F1-macro %.3f, majority %.3f\n", agent, mean, majority)
	}
	return nil
}

// wrongCorpus marks what is wrong with a corpus as the user's to mend, unless the command
// was stopped.
func wrongCorpus(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return usageError{err}
}
