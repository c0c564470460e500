package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
)

func predictCommand() *cobra.Command {
	var o home.PredictOptions
	var runs, out string
	cmd := &cobra.Command{
		Use:   "predict STUDY FILE",
		Short: "Answer the posts in a JSON Lines file with the models that a study chose",
		Long: `Answer the posts in FILE (a line each: {"id": …, "text": …}; - is standard input) with the
models that STUDY chose. A line of the answer is a criterion of a post, or of one of its
sentences: id, task, criterion_id, probability (the mean over the models) and answer (by the
configuration's null policy); for a sentence also its number from 0 and where it starts and
ends in the text, in code points.`,
		Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Models < 0 {
				return usage("--models %d is not allowed; it must be from 0 (all)", o.Models)
			}
			if err := checkTool(o.Tool); err != nil {
				return err
			}
			folder, err := home.OpenFolder(runs, args[0])
			if err != nil {
				return err
			}
			return fromTo(cmd, args[1], out, func(in io.Reader, out io.Writer) error { return folder.Predict(cmd.Context(), o, in, out) })
		},
	}
	addTool(cmd, &o.Tool, &out)
	cmd.Flags().StringVar(&runs, "runs", "runs", "the folder of the run folders")
	cmd.Flags().IntVar(&o.Models, "models", 0, "use the first so many of the chosen configuration's models (default: all)")
	return cmd
}
