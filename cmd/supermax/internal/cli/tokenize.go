package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/tokenize"
)

func tokenizeCommand() *cobra.Command {
	var model, truncation, side string
	var o tokenize.Options
	cmd := &cobra.Command{
		Use:   "tokenize --model DIR [FILE]",
		Short: "Turn texts into token ids, as a checkpoint's own tokenizer does",
		Long: `Turn texts into token ids, as a checkpoint's own tokenizer does.

FILE, or the standard input without it, has one JSON object a line: {"text": "…"}, or for a
pair {"a": "…", "b": "…"}; other keys do not matter and blank lines are skipped. For each
comes a line {"ids": […]} with what the flags add. Offsets are [first, end) in Unicode code
points of the text that a token comes from, [0, 0] for special tokens.

DIR has tokenizer.json, or vocab.txt, vocab.json with merges.txt, spiece.model or spm.model.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s takes at most one file and got %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if model == "" {
				return usage("%s needs --model: the folder of a checkpoint", cmd.CommandPath())
			}
			var err error
			if o.Encode.Truncation, err = tokenizer.ParseStrategy(truncation); err != nil {
				return usage("--truncation: %w", err)
			}
			if o.Encode.Side, err = paddingSide(side); err != nil {
				return err
			}
			if o.Encode.Pad && o.Encode.MaxLength == 0 {
				return usage("--pad needs --max-length: how long every line becomes")
			}
			t, err := tokenizer.Load(model)
			if err != nil {
				return usageError{err}
			}
			if _, err := t.EncodeInput(tokenizer.Input{}, o.Encode); err != nil {
				return usage("--max-length %d: %w", o.Encode.MaxLength, err)
			}
			path := "-"
			if len(args) == 1 {
				path = args[0]
			}
			in, err := openTexts(cmd, path)
			if err != nil {
				return err
			}
			defer in.Close()
			return tokenizeAll(cmd, t, in, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "the folder of a checkpoint")
	flags.IntVar(&o.Encode.MaxLength, "max-length", 0, "most tokens of a line, special ones included (default: no limit)")
	flags.StringVar(&truncation, "truncation", tokenizer.LongestFirst.String(), "what is cut from a longer one: longest_first, only_first or only_second")
	flags.BoolVar(&o.Encode.Pad, "pad", false, "fill up to --max-length")
	flags.StringVar(&side, "padding-side", "", "left or right (default: the tokenizer's own)")
	flags.BoolVar(&o.TypeIDs, "type-ids", false, "with the segments' ids")
	flags.BoolVar(&o.Mask, "mask", false, "with 1 for tokens and 0 for padding")
	flags.BoolVar(&o.Offsets, "offsets", false, "with places in the text")
	flags.BoolVar(&o.Tokens, "tokens", false, "with the tokens as the vocabulary writes them")
	return cmd
}

// tokenizeAll marks what is wrong with the texts as the user's to mend.
func tokenizeAll(cmd *cobra.Command, t *tokenizer.Tokenizer, in io.Reader, o tokenize.Options) error {
	err := tokenize.Run(cmd.Context(), t, in, cmd.OutOrStdout(), o)
	if errors.Is(err, textlines.ErrLine) {
		return usageError{err}
	}
	return err
}

func paddingSide(name string) (tokenizer.Side, error) {
	switch name {
	case "":
		return tokenizer.OwnSide, nil
	case "left":
		return tokenizer.Left, nil
	case "right":
		return tokenizer.Right, nil
	}
	return 0, usage("--padding-side %q is not allowed; allowed: left, right", name)
}
