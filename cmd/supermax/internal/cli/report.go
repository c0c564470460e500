package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/report"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

func reportCommand() *cobra.Command {
	var out, format string
	cmd := view("report", "Write the study's HTML report, or the data that it draws", func(cmd *cobra.Command, at place, state *study.State) error {
		switch format {
		case "html":
			path := at.report
			if out != "" {
				path = out
			}
			if err := writeReport(cmd.Context(), at, state, path); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
			return nil
		case "json":
			return writeAnalysis(cmd.OutOrStdout(), state, out)
		}
		return usage("--format %q is not allowed; allowed: html, json", format)
	})
	cmd.Flags().StringVar(&format, "format", "html", "html, or json with the importances, the parallel coordinates, the trials at each rung and the progress")
	cmd.Flags().StringVar(&out, "out", "", "the file to write (default: report.html in the run folder, STUDY.html here with --aws; JSON to standard output)")
	return cmd
}

// writeAnalysis writes what the report draws as JSON, to a file or else to stdout.
func writeAnalysis(stdout io.Writer, state *study.State, path string) error {
	data, err := analysis.Of(state)
	if err != nil {
		return err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write the report's data: %w", err)
	}
	text = append(text, '\n')
	if path != "" {
		return home.WriteWhole(path, text)
	}
	_, err = stdout.Write(text)
	return err
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
