package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/shared/wholefile"
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
			switch {
			case o.Models < 0:
				return usage("--models %d is not allowed; it must be from 0 (all)", o.Models)
			case o.Threads < 0 || o.Threads > 1024:
				return usage("--threads %d is not allowed; it must be from 0 (one a core) to 1024", o.Threads)
			case o.Device != "cpu" && o.Device != "cuda":
				return usage("--device %q is not allowed; allowed: cpu, cuda", o.Device)
			}
			folder, err := home.OpenFolder(runs, args[0])
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[1] != "-" {
				file, err := os.Open(args[1])
				if err != nil {
					return fmt.Errorf("read the posts: %w", err)
				}
				defer file.Close()
				in = file
			}
			if out == "" {
				return folder.Predict(cmd.Context(), o, in, cmd.OutOrStdout())
			}
			var failed error
			err = wholefile.WriteFrom(out, 0o600, func(w io.Writer) error {
				failed = folder.Predict(cmd.Context(), o, in, w)
				return failed
			})
			if failed != nil {
				return failed
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&runs, "runs", "runs", "the folder of the run folders")
	flags.StringVar(&out, "out", "", "write the answers to this file (default: standard output)")
	flags.IntVar(&o.Models, "models", 0, "use the first so many of the chosen configuration's models (default: all)")
	flags.IntVar(&o.Threads, "threads", 0, "threads (default: one a core)")
	flags.StringVar(&o.Device, "device", "cpu", "cpu or cuda")
	flags.StringVar(&o.Trainer, "trainer", "", "the trainer's path (default: beside supermax, then supermax-trainer on PATH)")
	return cmd
}
