! A worker of ulpaudit in Fortran 2008 and its own library (docs/worker-protocol.md):
!   gfortran -O2 examples/fortran/worker.f90 -o worker
!   ulpaudit check --exec ./worker
! Put your kernels in module kernels, and their rows in `description`.
module kernels
  use, intrinsic :: iso_fortran_env, only: real32, real64
  implicit none
contains
  elemental function sigmoid32(z) result(s)
    real(real32), intent(in) :: z
    real(real32) :: s, e
    e = exp(-abs(z))
    s = merge(1 / (1 + e), e / (1 + e), z >= 0)
    if (z /= z) s = z
  end function

  elemental function sigmoid64(z) result(s)
    real(real64), intent(in) :: z
    real(real64) :: s, e
    e = exp(-abs(z))
    s = merge(1 / (1 + e), e / (1 + e), z >= 0)
    if (z /= z) s = z
  end function
end module

module protocol
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int64
  implicit none
  character(*), parameter :: description = &
    '{"type": "description", "protocol": 1, "name": "fortran", "version": "1.0", "kernels": [' // &
    '{"name": "sigmoid", "op": "sigmoid", "formula": "1/(1+e), e/(1+e)", "dtypes": ["f32", "f64"],' // &
    ' "tags": ["deterministic", "elementwise"]}], "offers": ["determinism.first_call"]}'
  integer(c_int), parameter :: requests = 3, replies = 4, data_fd = 5

  interface
    function c_read(fd, to, n) bind(c, name='read')
      import :: c_int, c_ptr, c_size_t
      integer(c_int), value :: fd
      type(c_ptr), value :: to
      integer(c_size_t), value :: n
      integer(c_size_t) :: c_read
    end function
    function c_write(fd, from, n) bind(c, name='write')
      import :: c_int, c_ptr, c_size_t
      integer(c_int), value :: fd
      type(c_ptr), value :: from
      integer(c_size_t), value :: n
      integer(c_size_t) :: c_write
    end function
    function c_lseek(fd, offset, whence) bind(c, name='lseek')
      import :: c_int, c_long
      integer(c_int), value :: fd, whence
      integer(c_long), value :: offset
      integer(c_long) :: c_lseek
    end function
    function c_mmap(where, n, protection, flags, fd, offset) bind(c, name='mmap')
      import :: c_int, c_long, c_ptr, c_size_t
      type(c_ptr), value :: where
      integer(c_size_t), value :: n
      integer(c_int), value :: protection, flags, fd
      integer(c_long), value :: offset
      type(c_ptr) :: c_mmap
    end function
  end interface
contains
  ! The next request without its line end; false where there is none.
  function next_line(line) result(there)
    character(:), allocatable, intent(out) :: line
    logical :: there
    character(1), target :: one
    line = ''
    do
      there = c_read(requests, c_loc(one), 1_c_size_t) == 1
      if (.not. there .or. one == new_line('a')) return
      line = line // one
    end do
  end function

  subroutine reply(text)
    character(*), intent(in) :: text
    character(:), allocatable, target :: line
    integer(c_size_t) :: sent, k
    line = text // new_line('a')
    sent = 0
    do while (sent < len(line))
      k = c_write(replies, c_loc(line(sent + 1:)), len(line) - sent)
      if (k <= 0) stop 1
      sent = sent + k
    end do
  end subroutine

  ! The integer behind "key": in a line of JSON.
  function number(line, key) result(value)
    character(*), intent(in) :: line, key
    integer(int64) :: value
    integer :: first, length
    first = index(line, '"' // key // '":') + len(key) + 3
    length = verify(adjustl(line(first:)) // '}', '0123456789') - 1
    first = first + verify(line(first:), ' ') - 1
    read (line(first:first + length - 1), *) value
  end function
end module

program worker
  use kernels
  use protocol
  implicit none
  character(:), allocatable :: line
  type(c_ptr) :: base
  integer(c_size_t) :: size

  size = int(c_lseek(data_fd, 0_c_long, 2_c_int), c_size_t)
  base = c_mmap(c_null_ptr, size, 3_c_int, 1_c_int, data_fd, 0_c_long)  ! read and write, shared
  do while (next_line(line))
    if (index(line, '"describe"') > 0) then
      call reply(description)
    else if (index(line, '"stop"') > 0) then
      exit
    else
      call run(line)
    end if
  end do
contains
  subroutine run(line)
    character(*), intent(in) :: line
    real(real32), pointer :: z32(:), out32(:)
    real(real64), pointer :: z64(:), out64(:)
    integer(int64) :: n, start, finish, rate
    character(200) :: text
    n = number(line, 'n')
    call system_clock(start, rate)
    if (index(line, '"f32"') > 0) then
      call c_f_pointer(place('z'), z32, [n])
      call c_f_pointer(place('out'), out32, [n])
      out32 = sigmoid32(z32)
    else
      call c_f_pointer(place('z'), z64, [n])
      call c_f_pointer(place('out'), out64, [n])
      out64 = sigmoid64(z64)
    end if
    call system_clock(finish)
    write (text, '(a,i0,a,i0,a)') '{"type": "done", "id": ', number(line, 'id'), &
      ', "ok": true, "message": "", "nanoseconds": ', max(1_int64, (finish - start) * (1000000000 / rate)), '}'
    call reply(trim(text))
  end subroutine

  ! Where the buffer that the request names begins.
  function place(key) result(at)
    character(*), intent(in) :: key
    type(c_ptr) :: at
    at = transfer(transfer(base, 0_c_intptr_t) + number(line, key), at)
  end function
end program
