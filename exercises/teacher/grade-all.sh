#!/bin/sh
# Grades starters, solutions and wrong answers: exercises/teacher/grade-all.sh LAB [NN…]. Run from the root.
set -u
lab=$1
shift
failed=0

# told NAME LOW HIGH GRADE-ARGUMENTS…: fails unless the points are from LOW to HIGH.
told() {
  name=$1 low=$2 high=$3
  shift 3
  said=$("$lab" grade "$@" 2>&1)
  points=$(printf '%s\n' "$said" | sed -n 's/^[^0-9]*\([0-9]*\) of 100  .*/\1/p')
  if [ -n "$points" ] && [ "$points" -ge "$low" ] && [ "$points" -le "$high" ]; then
    printf '%3d  %s\n' "$points" "$name"
  else
    failed=1
    printf '%3s  %s: not from %d to %d\n' "${points:-?}" "$name" "$low" "$high"
    printf '%s\n' "$said" | sed 's/^/     | /'
  fi
}

# With how an answer is handed in: a policy file, or a Python file to be served.
answer() {
  case $4 in
    *.toml) told "$4" "$2" "$3" "$1" --policies "$4" ;;
    *) told "$4" "$2" "$3" "$1" --api "exec contenders/serve $4" ;;
  esac
}

for exercise in exercises/[0-9]*.toml; do
  number=$(basename "$exercise" | cut -c1-2)
  case " ${*:-$number} " in *" $number "*) ;; *) continue ;; esac
  told "$exercise, starter" 0 59 "$exercise"
  for file in exercises/teacher/"$number".*; do answer "$exercise" 95 100 "$file"; done
  for file in exercises/teacher/wrong/"$number"-*; do
    [ ! -e "$file" ] || answer "$exercise" 0 79 "$file"
  done
done
exit $failed
