package cli

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/report"
	"github.com/supermax-hpo/supermax/shared/study"
)

func reportCommand() *cobra.Command {
	var out string
	cmd := view("report", "Write the study's HTML report", func(cmd *cobra.Command, at place, state *study.State) error {
		path := at.report
		if out != "" {
			path = out
		}
		if err := writeReport(cmd.Context(), at, state, path); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), path)
		return nil
	})
	cmd.Flags().StringVar(&out, "out", "", "the file to write (default: report.html in the run folder; STUDY.html here with --aws)")
	return cmd
}

// writeReport writes the report of a state that was read from the study's home.
func writeReport(ctx context.Context, at looked, state *study.State, path string) error {
	rows, err := at.Rows(ctx)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Write(&page, state, rows, time.Now()); err != nil {
		return err
	}
	return home.WriteWhole(path, page.Bytes())
}
