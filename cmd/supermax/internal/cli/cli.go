// Package cli is the command line of supermax.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/config"
)

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitInput       = 2   // the user can mend it; nothing was changed
	exitInterrupted = 130 // stopped by Ctrl-C or SIGTERM; the same command goes on
)

// Main runs the command line and returns its exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal stops in good order; a second one ends this process at once, and
	// the trainers follow when they see its end of their pipe closed.
	context.AfterFunc(ctx, stop)
	root := command(stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	status := statusOf(ctx, err)
	var going *resumable
	var elsewhere *following
	switch {
	case status == exitInterrupted && errors.As(err, &elsewhere):
		fmt.Fprintf(stderr, "supermax: study %s goes on; follow it again with supermax watch %s --aws, stop it with supermax stop %s --aws\n",
			elsewhere.study, elsewhere.study, elsewhere.study)
	case status == exitInterrupted && errors.As(err, &going):
		fmt.Fprintln(stderr, "supermax: stopped; the same command goes on from here")
	case status == exitInterrupted:
		fmt.Fprintln(stderr, "supermax: stopped")
	case status != exitOK:
		complain(stderr, err)
	}
	return status
}

// complain writes an error as one line; errors that were joined stand on lines of their
// own.
func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "supermax:", strings.ReplaceAll(err.Error(), "\n", "; "))
}

// statusOf tells the user's mistakes from ours.
func statusOf(ctx context.Context, err error) int {
	var file *config.Error
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, mistake.Err), errors.Is(err, errUsage), errors.As(err, &file):
		return exitInput
	case ctx.Err() != nil: // whatever failed did so because of it
		return exitInterrupted
	}
	for _, place := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, syscall.ENOTDIR, syscall.EISDIR, syscall.EROFS,
		syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, place) {
			return exitInput // a file that the user named, or where it lies
		}
	}
	return exitFailed
}

// resumable is the error of a run that can go on.
type resumable struct{ error }

// Unwrap returns the cause.
func (r *resumable) Unwrap() error { return r.error }

// errUsage marks a wrong command line.
var errUsage = errors.New("usage")

type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }

func usage(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// command builds the whole command tree.
func command(stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "supermax",
		Short:         "Hyper-parameter search for transformer classifiers: explore, refine, confirm",
		Version:       version(debug.ReadBuildInfo()),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(
		runCommand(stderr), stageCommand(stderr), uploadCommand(stderr),
		watchCommand(stderr), stopCommand(), resumeCommand(stderr), deleteCommand(), purgeCommand(),
		statusCommand(), bestCommand(), trialsCommand(), exportCommand(), reportCommand(),
		queryCommand(stderr), estimateCommand(), simulateCommand(stderr), searchCommand(stderr),
		modelsCommand(), baselineCommand(), tokenizeCommand(), predictCommand(), embedCommand(),
	)
	return root
}

// noCommand refuses what is no command, with those that sound alike.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("see %s --help", cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // letters
	if alike := cmd.SuggestionsFor(args[0]); len(alike) > 0 {
		hint = "did you mean " + strings.Join(alike, " or ") + "?"
	}
	return usage("%s has no command %q (%s)", cmd.CommandPath(), args[0], hint)
}

// exactly makes a command take so many arguments, named as in its usage.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s takes %d argument(s) and got %d: %s", cmd.CommandPath(), n, len(args), cmd.UseLine())
		}
		return nil
	}
}

// version says which build this is.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "of unknown build"
	}
	revision := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	name := info.Main.Version
	if name == "" || name == "(devel)" {
		name = "development build"
		if revision != "" {
			name += " of " + revision
		}
	}
	return name + " (" + info.GoVersion + ")"
}
