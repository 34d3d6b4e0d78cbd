/**
 * Makes of a function that asks for many things at once one that asks for one: all that is asked for
 * while a call runs is asked for together by the next.
 *
 * A call never serves who asked after it began, so that its answer is at least as new as the question.
 */
export function coalesce<Q, A>(
  askAll: (questions: readonly Q[]) => Promise<A>,
): (question: Q) => Promise<A> {
  let waiting: { readonly questions: Q[]; readonly answer: Promise<A> } | undefined;
  let running: Promise<unknown> = Promise.resolve();
  return (question) => {
    if (waiting !== undefined) {
      waiting.questions.push(question);
      return waiting.answer;
    }
    const questions = [question];
    const answer = running.then(() => {
      waiting = undefined;
      return askAll(questions);
    });
    waiting = { questions, answer };
    running = answer.catch(() => undefined);
    return answer;
  };
}
