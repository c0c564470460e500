package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
)

func embedCommand() *cobra.Command {
	var o home.EmbedOptions
	var out string
	poolings, formats := []string{"cls", "mean", "max", "none"}, []string{"jsonl", "parquet"}
	cmd := &cobra.Command{
		Use:   "embed --model DIR FILE",
		Short: "Turn the texts in a JSON Lines file into a backbone's vectors or hidden states",
		Long: `Turn the texts in FILE into what the last layer of the backbone in DIR makes of them. A line
of FILE (- is standard input) is {"text": …}, or {"a": …, "b": …} for a pair, each with an
"id" or else its line's number as one. With a pooling each text becomes one vector: {"id": …,
"vector": […]}. With --pooling none it keeps a state a token: {"id": …, "ids": […], "states":
[[…], …]}, or in Parquet a row a token (id, position, token_id, state).`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.Model == "":
				return usage("%s needs --model: the folder of a backbone", cmd.CommandPath())
			case !slices.Contains(poolings, o.Pooling):
				return usage("--pooling %q is not allowed; allowed: %s", o.Pooling, strings.Join(poolings, ", "))
			case !slices.Contains(formats, o.Format):
				return usage("--format %q is not allowed; allowed: %s", o.Format, strings.Join(formats, ", "))
			case o.MaxLength < 0:
				return usage("--max-length %d is not allowed; it must be from 0 (the usual one)", o.MaxLength)
			}
			if err := checkTool(o.Tool); err != nil {
				return err
			}
			return fromTo(cmd, args[0], out, func(in io.Reader, out io.Writer) error { return home.Embed(cmd.Context(), o, in, out) })
		},
	}
	addTool(cmd, &o.Tool, &out)
	flags := cmd.Flags()
	flags.StringVar(&o.Model, "model", "", "the folder of a backbone with its tokenizer")
	flags.StringVar(&o.Pooling, "pooling", "mean", strings.Join(poolings, ", ")+": how a text's states become one vector")
	flags.StringVar(&o.Format, "format", "jsonl", strings.Join(formats, " or "))
	flags.IntVar(&o.MaxLength, "max-length", 0, "most tokens of a text (default: 512, or the backbone's positions)")
	return cmd
}
