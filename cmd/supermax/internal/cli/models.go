package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/models"
	"github.com/supermax-hpo/supermax/shared/config"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Make, fetch, keep and inspect backbones",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(modelsInitCommand(), modelsPullCommand(), modelsImportCommand(), modelsListCommand(), modelsInspectCommand())
	return cmd
}

func modelsInitCommand() *cobra.Command {
	o := models.Options{Corpus: config.Corpus{}}
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a small backbone with random weights and a vocabulary of the user's own corpus",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Corpus.Dir == "" {
				return usage("%s needs --corpus: the folder of the corpus whose texts the vocabulary is learnt from", cmd.CommandPath())
			}
			dir, err := filepath.Abs(o.Corpus.Dir)
			if err != nil {
				return fmt.Errorf("find the corpus: %w", err)
			}
			o.Corpus.Dir = dir
			made, err := models.Init(cmd.Context(), args[0], o)
			if errors.Is(err, models.ErrInput) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if made.Made {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d parameters, %d tokens\n", args[0], made.Parameters, made.Vocab)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Like, "like", models.LikeBERT, "the architecture: "+strings.Join(models.Architectures(), ", "))
	flags.IntVar(&o.Layers, "layers", 2, "layers")
	flags.IntVar(&o.Hidden, "hidden", 128, "hidden size, a multiple of --heads")
	flags.IntVar(&o.Heads, "heads", 4, "attention heads")
	flags.IntVar(&o.Intermediate, "intermediate", 0, "the feed-forward layers' width (default: 4 times --hidden)")
	flags.IntVar(&o.Vocab, "vocab", 1200, "most tokens")
	flags.IntVar(&o.MaxPositions, "max-positions", 512, "the longest input in tokens")
	flags.Uint64Var(&o.Seed, "seed", 1, "of the random weights")
	flags.StringVar(&o.Corpus.Dir, "corpus", "", "the folder of the corpus whose texts the vocabulary is learnt from")
	flags.StringVar(&o.Corpus.Layout, "layout", dataset.Groundtruth, "its layout: groundtruth or redsm5")
	return cmd
}
