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
	"syscall"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
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
	root := command(stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	status := statusOf(ctx, err)
	switch status {
	case exitOK:
	case exitInterrupted:
		fmt.Fprintln(stderr, "supermax: stopped; the same command goes on from here")
	default:
		fmt.Fprintln(stderr, "supermax:", err)
	}
	return status
}

// statusOf tells the user's mistakes from ours.
func statusOf(ctx context.Context, err error) int {
	var file *config.Error
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, home.ErrInput), errors.Is(err, errUsage), errors.As(err, &file), errors.Is(err, fs.ErrNotExist):
		return exitInput
	}
	return exitFailed
}

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
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          arguments(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		runCommand(stderr), stageCommand(stderr),
		statusCommand(), bestCommand(), trialsCommand(), exportCommand(), reportCommand(),
		modelsCommand(), baselineCommand(),
	)
	return root
}

// arguments makes a complaint about a command's arguments one about its usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("%s: %w (see supermax %s --help)", cmd.CommandPath(), err, cmd.Name())
		}
		return nil
	}
}
