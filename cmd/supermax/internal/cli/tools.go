package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/shared/wholefile"
)

// addTool adds the flags of commands that start the trainer as a tool.
func addTool(cmd *cobra.Command, t *home.Tool, out *string) {
	flags := cmd.Flags()
	flags.StringVar(out, "out", "", "write to this file (default: standard output)")
	flags.IntVar(&t.Threads, "threads", 0, "threads (default: one a core)")
	flags.StringVar(&t.Device, "device", "cpu", "cpu or cuda")
	flags.StringVar(&t.Trainer, "trainer", "", "the trainer's path (default: beside supermax, then supermax-trainer on PATH)")
}

// checkTool checks those flags.
func checkTool(t home.Tool) error {
	switch {
	case t.Threads < 0 || t.Threads > 1024:
		return usage("--threads %d is not allowed; it must be from 0 (one a core) to 1024", t.Threads)
	case t.Device != "cpu" && t.Device != "cuda":
		return usage("--device %q is not allowed; allowed: cpu, cuda", t.Device)
	}
	return nil
}

// openTexts opens a file of texts; - is standard input.
func openTexts(cmd *cobra.Command, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	return file, nil
}

// fromTo gives use what is in a file, as openTexts has it, and puts what it writes whole into
// another, or to standard output where that is empty.
func fromTo(cmd *cobra.Command, in, out string, use func(io.Reader, io.Writer) error) error {
	source, err := openTexts(cmd, in)
	if err != nil {
		return err
	}
	defer source.Close()
	if out == "" {
		return use(source, cmd.OutOrStdout())
	}
	var failed error
	err = wholefile.WriteFrom(out, 0o600, func(w io.Writer) error {
		failed = use(source, w)
		return failed
	})
	if failed != nil {
		return failed
	}
	return err
}
