package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
)

func predictCommand() *cobra.Command {
	var o home.PredictOptions
	var place placeFlags
	var out string
	cmd := &cobra.Command{
		Use:   "predict STUDY FILE",
		Short: "Answer the posts in a JSON Lines file with the models that a study chose",
		Long: `Answer the posts in FILE (a line each: {"id": …, "text": …}; - is standard input) with the
models that STUDY chose. A line of the answer is a criterion of a post, or of one of its
sentences: id, task, criterion_id, probability (the mean over the models) and answer (by the
configuration's null policy); for a sentence also its number from 0 and where it starts and
ends in the text, in code points. With --aws the models come from the study's bucket, and what
they were trained from is fetched once into a cache (SUPERMAX_CACHE); this machine computes.`,
		Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Models < 0 {
				return usage("--models %d is not allowed; it must be from 0 (all)", o.Models)
			}
			if err := checkTool(o.Tool); err != nil {
				return err
			}
			at, err := place.open(cmd, args[0])
			if err != nil {
				return err
			}
			if _, err := at.Export(cmd.Context(), "best", "json"); err != nil {
				return err
			}
			o.Study, o.Objects = args[0], at.objects
			return fromTo(cmd, args[1], out, func(in io.Reader, out io.Writer) error { return home.Predict(cmd.Context(), o, in, out) })
		},
	}
	addTool(cmd, &o.Tool, &out)
	place.add(cmd)
	cmd.Flags().IntVar(&o.Models, "models", 0, "use the first so many of the chosen configuration's models (default: all)")
	return cmd
}
