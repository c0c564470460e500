#!/usr/bin/env bash
# tiny-checkpoints.sh FOLDER: puts a tiny checkpoint of each architecture there, of the golden
# models and the tokenizers that they were made for (tests/golden).
set -euo pipefail
cd "$(dirname "$0")/.."
to="$1"
while read -r name model tokenizer; do
	folder="$to/tiny-$name"
	rm -rf "$folder"
	mkdir -p "$folder"
	cp "tests/golden/models/$model/config.json" "tests/golden/models/$model/model.safetensors" "$folder"
	for file in tests/golden/tokenizers/"$tokenizer"/*; do
		case "$file" in
		*/golden_*|*/README.md) ;;
		*) cp "$file" "$folder" ;;
		esac
	done
done <<'END'
albert albert albert
bert bert bert
convbert convbert bert
deberta deberta-v3 deberta-v3
distilbert distilbert bert
electra electra-small bert
roberta roberta roberta
xlnet xlnet xlnet
END
