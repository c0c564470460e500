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
	return view("report", "Write the study's HTML report into its run folder", func(cmd *cobra.Command, folder *home.Folder, state *study.State) error {
		if err := writeReport(cmd.Context(), folder, state); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), folder.Report())
		return nil
	})
}

// writeReport writes the report of a state that was read from the folder.
func writeReport(ctx context.Context, folder *home.Folder, state *study.State) error {
	rows, err := folder.Rows(ctx)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Write(&page, state, rows, time.Now()); err != nil {
		return err
	}
	return home.WriteWhole(folder.Report(), page.Bytes())
}
